import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../deployment/deploy.ts";
import type { Cell } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { decideVerdict } from "../cells/cell-verdict.ts";

const TIMEOUT_MS = 15_000;
const POLL_MS = 300;
const ONCE = { ...DEFAULT_RUN, passTimeoutMs: 1000, attempts: 1 };

/**
 * Waits until kube-proxy on every node knows the pods' Services. kube-proxy syncs at most once a second, and until then rejects
 * connections to a Service ("has no endpoints"). A cluster whose kube-proxy is switched needs no such wait. Returns after
 * 15 s in any case: the cells then report the failure.
 */
export async function waitForServices(cells: readonly Cell[], variant: Variant, deployment: Deployment): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  let waiting = listServiceCells(cells, variant, deployment);
  while (waiting.length > 0 && Date.now() < deadline) {
    const results = await runCells(waiting, variant, deployment, ONCE);
    waiting = waiting.filter((_, index) => results[index]?.ok !== true);
    if (waiting.length > 0) await sleep(POLL_MS);
  }
}

/**
 * Returns the TCP cells to Services that should pass and whose server is ready: kube-proxy writes all ports of a Service at once.
 */
function listServiceCells(cells: readonly Cell[], variant: Variant, deployment: Deployment): readonly Cell[] {
  const notReadyPods = new Set(deployment.notReady.map((line) => line.split(" ")[0]));
  return cells.filter(
    (cell) =>
      cell.to.kind === "service" &&
      cell.protocol === "tcp" &&
      !notReadyPods.has(cell.server) &&
      decideVerdict(variant, cell).expected === "pass",
  );
}
