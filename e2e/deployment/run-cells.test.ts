import assert from "node:assert/strict";
import type { Deployment } from "./deploy.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { DEFAULT_RUN, runCells } from "./run-cells.ts";
import { decideVerdict } from "../cells/cell-verdict.ts";

const variant = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "liberal" } as const;

describe("runCells", () => {
  const all = listMatrixCells(2).filter(({ group }) => group === "matrix");
  const answer = { id: 1, ok: false, latencyMs: 1, error: "timed out" };
  const deployment = (prober: Deployment["getProber"]) =>
    ({
      locate: () => ({ address: "10.0.0.1", port: 80 }),
      getAddress: () => "10.0.0.2",
      findSources: () => undefined,
      pods: new Map(),
      families: ["ipv4"],
      getProber: prober,
    }) as unknown as Deployment;

  it("fails the cells of a pod whose prober does not start, and asks the others", async () => {
    const from = "overlay-1-a";
    const prober = (name: string) =>
      name === from
        ? Promise.reject(new Error("exec refused"))
        : Promise.resolve({ probe: () => Promise.resolve(answer) });
    const results = await runCells(all, variant, deployment(prober as unknown as Deployment["getProber"]), DEFAULT_RUN);
    assert.equal(results.length, all.length);
    for (const result of results.filter((one) => one.from === from)) {
      assert.equal(result.ok, false, result.id);
      assert.match(result.reason ?? "", /could not be probed: exec refused/);
    }
    assert.ok(results.filter((one) => one.from !== from).every(({ reason }) => reason?.includes("timed out")));
  });

  it("does not take a blocked cell for proven that could not be asked", async () => {
    const blocked = all.filter((cell) => decideVerdict(variant, cell).expected === "blocked");
    assert.ok(blocked.length > 0);
    const prober = () => Promise.reject(new Error("exec refused"));
    const results = await runCells(blocked, variant, deployment(prober), DEFAULT_RUN);
    assert.ok(results.every(({ ok }) => !ok));
  });

  it("gives the same cells other tokens in the next run, since servers remember those that they got", async () => {
    const requested = new Set<string>();
    const prober = () =>
      Promise.resolve({
        probe: ({ token }: { readonly token: string }) => {
          requested.add(token);
          return Promise.resolve(answer);
        },
      });
    const fake = deployment(prober as unknown as Deployment["getProber"]);
    const run = { ...DEFAULT_RUN, attempts: 1 };
    await runCells(all, variant, fake, run);
    await runCells(all, variant, fake, run);
    assert.equal(requested.size, 2 * all.length);
  });
});
