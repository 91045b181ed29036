import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../pods/deploy.ts";
import type { Cell } from "./cells.ts";
import type { Variant } from "./gate.ts";
import { DEFAULT_RUN, runCells } from "./run.ts";
import { verdictFor } from "./verdict.ts";

const PATIENCE_MS = 15_000;
const POLL_MS = 300;
const ONCE = { ...DEFAULT_RUN, passTimeoutMs: 1000, attempts: 1 };

/**
 * Waits until kube-proxy on every node knows the pods' Services. Pods are ready before it does: it looks at most once a
 * second, and until then it refuses connections to a Service ("has no endpoints"). A cluster whose kube-proxy is switched
 * needs no such wait. What does not answer in 15 s is left for its cells to tell.
 */
export async function waitForServices(all: readonly Cell[], variant: Variant, deployment: Deployment): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let waiting = serviceCells(all, variant, deployment);
  while (waiting.length > 0 && Date.now() < deadline) {
    const results = await runCells(waiting, variant, deployment, ONCE);
    waiting = waiting.filter((_, index) => results[index]?.ok !== true);
    if (waiting.length > 0) await sleep(POLL_MS);
  }
}

/**
 * Of those that should be answered, by pods that are ready, one for each Service and source: kube-proxy writes all its ports
 * at once.
 */
function serviceCells(all: readonly Cell[], variant: Variant, deployment: Deployment): readonly Cell[] {
  const absent = new Set(deployment.notReady.map((line) => line.split(" ")[0]));
  return all.filter(
    (cell) =>
      cell.to.kind === "service" &&
      cell.protocol === "tcp" &&
      !absent.has(cell.server) &&
      verdictFor(variant, cell).expected === "pass",
  );
}
