import { formatRerunCommand, formatRerunFlags } from "../../results/rerun.ts";
import type { CellResult, Report, VariantResult } from "../../results/schema.ts";

/** A cell of a report, with the command that the report shows for it. */
export interface SampledCell {
  readonly variant: VariantResult;
  readonly cell: CellResult;
  readonly command: string;
}

/** Parts of a sample, in the order in which they get their share. */
const KINDS: readonly ((cell: CellResult) => boolean)[] = [
  ({ ok }) => !ok,
  ({ ok, expected }) => ok && expected === "blocked",
  ({ ok, expected }) => ok && expected === "pass",
];

/**
 * Selects cells of a report: failed, blocked and passed ones, each kind with an equal share as far as it has enough, evenly over
 * variants and groups. Pure.
 * @param count number of cells
 */
export function selectSample(report: Report, count: number): readonly SampledCell[] {
  const cells = report.variants.flatMap((variant) => {
    const flags = formatRerunFlags(report, variant);
    return variant.cells.map((cell) => ({ variant, cell, command: formatRerunCommand(flags, cell.id) }));
  });
  const selected = new Set<SampledCell>();
  for (const [index, isOfKind] of KINDS.entries()) {
    const share = Math.floor((count - selected.size) / (KINDS.length - index));
    const candidates = cells.filter(({ cell }) => isOfKind(cell));
    for (const candidate of selectEvenly(candidates, share)) selected.add(candidate);
  }
  return cells.filter((sampled) => selected.has(sampled)); // in the report's order: fewer switches of kube-proxy
}

/** Returns elements at equal distances. */
function selectEvenly<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, index) => list.slice(Math.floor((index * list.length) / count))[0]).filter(
    (element) => element !== undefined,
  );
}
