import { setTimeout as sleep } from "node:timers/promises";
import type { V1Probe } from "@kubernetes/client-node";
import { type NodeProber, parseProbeTarget } from "./node-prober.ts";

/** Interval of probes until the first success: kubelet waits a whole period, which would only make tests slower. */
const UNREADY_PERIOD_MS = 100;

/**
 * Runs a container's readiness probe until the signal is aborted. Does nothing for a kind of probe that the lab does not support.
 *
 * @param podIP address that the probe connects to by default
 * @param onChange called each time the container becomes ready or unready
 */
export async function probeReadiness(
  prober: NodeProber,
  probe: V1Probe,
  podIP: string,
  onChange: (ready: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const target = parseProbeTarget(probe, podIP);
  if (target === undefined) return;
  const isAborted = (): boolean => signal.aborted;
  let ready = false;
  let failures = 0;
  while (!isAborted()) {
    const ok = await prober.probe(target);
    failures = ok ? 0 : failures + 1;
    const nextReady: boolean = ok || (ready && failures < (probe.failureThreshold ?? 3));
    if (nextReady !== ready && !isAborted()) {
      ready = nextReady;
      onChange(ready);
    }
    await sleep(ready ? (probe.periodSeconds ?? 10) * 1000 : UNREADY_PERIOD_MS, undefined, { ref: false });
  }
}
