import assert from "node:assert/strict";
import type { NodeProber } from "./node-prober.ts";
import { probeReadiness } from "./readiness.ts";

describe("probeReadiness", () => {
  const probe = { tcpSocket: { port: 80 }, periodSeconds: 0.001, failureThreshold: 2 };

  /** Probes with these results, one after the other. @returns the changes */
  async function runProbes(results: readonly boolean[]): Promise<readonly boolean[]> {
    const stop = new AbortController();
    const remaining = [...results];
    const prober = {
      probe: () => {
        const ok = remaining.shift() ?? false;
        if (remaining.length === 0)
          setImmediate(() => {
            stop.abort();
          });
        return Promise.resolve(ok);
      },
    } as unknown as NodeProber;
    const changes: boolean[] = [];
    await probeReadiness(prober, probe, "10.233.64.1", (ready) => changes.push(ready), stop.signal);
    return changes;
  }

  it("reports ready after the first success", async () => {
    assert.deepEqual(await runProbes([false, true, true]), [true]);
  });

  it("reports unready after failureThreshold failures in a row", async () => {
    assert.deepEqual(await runProbes([true, false, true, false]), [true]);
    assert.deepEqual(await runProbes([true, false, false]), [true, false]);
  });

  it("does nothing for an exec probe", async () => {
    const prober = { probe: () => Promise.reject(new Error("a probe was sent")) } as unknown as NodeProber;
    const exec = { exec: { command: ["true"] } };
    await probeReadiness(prober, exec, "10.233.64.1", () => undefined, new AbortController().signal);
  });
});
