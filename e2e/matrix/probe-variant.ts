import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import type { CellResult, VariantResult } from "../../results/schema.ts";
import { summarizeCells } from "../../results/summarize-cells.ts";
import { withCauses } from "../doctor/causes.ts";
import { confirmPredictions, predictAgain } from "../doctor/confirm-predictions.ts";
import { type Predictions, withPredictions } from "../doctor/predictions.ts";
import { recaptureCells, captureCells } from "../evidence/capture-cells.ts";
import { By } from "../harness.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { RunOptions } from "../support/run-options.ts";
import type { Cell } from "../cells/cell.ts";
import { proveDrops } from "./drop-proof.ts";
import type { Variant } from "../cells/gate.ts";
import { countInvalidFlows } from "./invalid-flows.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { type NodeFilter, readAllFilters } from "../deployment/variant.ts";
import { decideVerdict } from "../cells/cell-verdict.ts";

interface VariantProbe {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
  readonly variant: Variant;
  /** Cells to probe. */
  readonly cells: readonly Cell[];
  readonly options: Pick<RunOptions, "evidence">;
  readonly predictions: Predictions;
  /** Called whenever another cell has its result. */
  readonly onDone: (done: number, total: number) => void;
}

export interface ProbedVariant {
  readonly results: readonly CellResult[];
  /** Filters of every node after the cells; empty where they cannot be read. */
  readonly filters: readonly NodeFilter[];
  readonly seconds: number;
}

/** Probes the cells of a variant, and adds proofs, packet paths, likely causes and predictions to the results. */
export async function probeVariant(probe: VariantProbe): Promise<ProbedVariant> {
  const { cluster, deployment, cells, predictions } = probe;
  const hasNodeFiles = hasCapability(cluster.provider, "node-files");
  const started = performance.now();
  const { results: proven, filters } = await By(`${cells.length} cells`, () => probeWithProof(probe, cells));
  const seconds = (performance.now() - started) / 1000;
  let results = await By("once more the cells without a proof of what blocks them", () =>
    probeUnprovenAgain(probe, proven),
  );
  if (hasNodeFiles && probe.options.evidence === "failed")
    results = await By("packet paths of the cells that failed or were blocked", () =>
      recaptureCells(probe, cells, results),
    );
  if (hasNodeFiles && results.some(({ ok }) => !ok))
    results = await By("the doctor, for the likely cause", () =>
      withCauses(cluster, results, cells, (pod) => deployment.pods.get(pod)?.node),
    );
  results = await confirmPredictions(withPredictions(results, predictions), (ids) =>
    By("once more the cells that were predicted wrongly", () => predictAgain(probe, ids)),
  );
  return { results, filters, seconds };
}

/** Probes cells, and proves for those that kube-proxy's INVALID rule should block that it did. */
async function probeWithProof(
  probe: VariantProbe,
  cells: readonly Cell[],
): Promise<Pick<ProbedVariant, "results" | "filters">> {
  const { cluster, deployment, variant } = probe;
  const blocked = listBlockedByRule(variant, cells);
  const isCaptured = hasCapability(cluster.provider, "node-files") && probe.options.evidence === "all";
  const run = () =>
    isCaptured
      ? captureCells(probe, cells)
      : runCells(cells, variant, deployment, { ...DEFAULT_RUN, onDone: probe.onDone });
  const before = await readNodeFilters(cluster, variant);
  const { value, flows } =
    blocked.size > 0 && cluster.nodeAccess !== "none"
      ? await countInvalidFlows(cluster, run)
      : { value: await run(), flows: new Map() };
  const after = await readNodeFilters(cluster, variant);
  const findNode = (pod: string) => deployment.pods.get(pod)?.node;
  return { results: proveDrops(value, blocked, findNode, { before, after, flows }), filters: after };
}

/**
 * Probes blocked cells without a proof once more: kube-proxy rewrites its rules at least every 30 s, which resets the counters, so
 * that one pair of readings may prove nothing.
 */
async function probeUnprovenAgain(probe: VariantProbe, results: readonly CellResult[]): Promise<readonly CellResult[]> {
  const blocked = listBlockedByRule(probe.variant, probe.cells);
  const unexplained = new Set(
    results.filter(({ id, ok, actual }) => blocked.has(id) && !ok && actual === "fail").map(({ id }) => id),
  );
  if (unexplained.size === 0) return results;
  const secondProbe = await probeWithProof(
    probe,
    probe.cells.filter(({ id }) => unexplained.has(id)),
  );
  return results.map((result) => secondProbe.results.find(({ id }) => id === result.id) ?? result);
}

/** Returns the results of a variant for the report. */
export function toVariantResult(variant: Variant, { results, filters, seconds }: ProbedVariant): VariantResult {
  const hasDropRule = ({ invalidDrop }: NodeFilter) => Object.values(invalidDrop).some((rule) => rule !== undefined);
  return {
    ...variant,
    ...(filters.length === 0
      ? {}
      : {
          tcpBeLiberal: filters.every(({ tcpBeLiberal }) => tcpBeLiberal === 1) ? 1 : 0,
          invalidDropRule: filters.some(hasDropRule),
        }),
    cells: [...results],
    table: summarizeCells(results),
    seconds,
  };
}

/** Returns the ids of the cells that kube-proxy's INVALID rule blocks in this variant. */
function listBlockedByRule(variant: Variant, cells: readonly Cell[]): ReadonlySet<string> {
  const blocked = cells.filter((cell) => {
    const verdict = decideVerdict(variant, cell);
    return verdict.expected === "blocked" && verdict.by === "invalid-rule";
  });
  return new Set(blocked.map(({ id }) => id));
}

async function readNodeFilters(cluster: Cluster, { kubeProxy }: Variant): Promise<readonly NodeFilter[]> {
  return cluster.nodeAccess === "none" ? [] : readAllFilters(cluster, kubeProxy.mode);
}
