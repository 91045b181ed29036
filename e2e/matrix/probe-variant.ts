import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import type { CellResult, VariantResult } from "../../results/schema.ts";
import { summarizeCells } from "../../results/table.ts";
import { withCauses } from "../doctor/causes.ts";
import { type Predictions, withPredictions } from "../doctor/predictions.ts";
import { recaptureCells, captureCells } from "../evidence/evidence.ts";
import { By } from "../harness.ts";
import type { Deployment } from "../pods/deploy.ts";
import type { RunOptions } from "../support/options.ts";
import type { Cell } from "./cells.ts";
import { withCounters } from "./counters.ts";
import type { Variant } from "./gate.ts";
import { DEFAULT_RUN, runCells } from "./run.ts";
import { type NodeFilter, readFilters } from "./variant.ts";
import { verdictFor } from "./verdict.ts";

interface VariantProbe {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
  readonly variant: Variant;
  /** Cells to probe. */
  readonly cells: readonly Cell[];
  readonly options: Pick<RunOptions, "evidence">;
  readonly predictions: Predictions;
  /** Called whenever another cell has its result. */
  readonly onDone: (done: number, of: number) => void;
}

export interface ProbedVariant {
  readonly results: readonly CellResult[];
  /** Filters of every node after the cells; empty where they cannot be read. */
  readonly filters: readonly NodeFilter[];
  readonly seconds: number;
}

/** Probes the cells of a variant, and adds to the results counters, packet paths, likely causes and predictions. */
export async function probeVariant(probe: VariantProbe): Promise<ProbedVariant> {
  const { cluster, deployment, variant, cells, predictions } = probe;
  const evidence = hasCapability(cluster.provider, "node-files") ? probe.options.evidence : "none";
  const context = { cluster, deployment, variant };
  const before = await readNodeFilters(cluster, variant);
  const started = performance.now();
  const raw = await By(`${cells.length} cells`, () =>
    evidence === "all"
      ? captureCells(context, cells)
      : runCells(cells, variant, deployment, { ...DEFAULT_RUN, onDone: probe.onDone }),
  );
  const seconds = (performance.now() - started) / 1000;
  const filters = await readNodeFilters(cluster, variant);
  const findNode = (pod: string) => deployment.pods.get(pod)?.node;
  let results = withCounters(raw, listBlockedByRule(variant, cells), findNode, before, filters);
  if (evidence === "failed")
    results = await By("packet paths of the cells that failed or were blocked", () =>
      recaptureCells(context, cells, results),
    );
  if (results.some(({ ok }) => !ok) && hasCapability(cluster.provider, "node-files"))
    results = await By("the doctor, for the likely cause", () => withCauses(cluster, results, cells, findNode));
  return { results: withPredictions(results, predictions), filters, seconds };
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

/** Ids of the cells that kube-proxy's INVALID rule blocks in this variant. */
function listBlockedByRule(variant: Variant, cells: readonly Cell[]): ReadonlySet<string> {
  const blocked = cells.filter((cell) => {
    const verdict = verdictFor(variant, cell);
    return verdict.expected === "blocked" && verdict.by === "invalid-rule";
  });
  return new Set(blocked.map(({ id }) => id));
}

async function readNodeFilters(cluster: Cluster, { kubeProxy }: Variant): Promise<readonly NodeFilter[]> {
  return cluster.nodeAccess === "none" ? [] : readFilters(cluster, kubeProxy.mode);
}
