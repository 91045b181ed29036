import type { CellResult, Report, VariantResult } from "./schema.ts";
import { variantTitle } from "./title.ts";

export interface RunComparison {
  /** Variants that both runs have. */
  readonly variants: number;
  /** Cells that both runs asked. */
  readonly cells: number;
  /** One sentence each: where the runs are not the same. */
  readonly differences: readonly string[];
  /** One sentence each: what only one of the runs has, so that nothing can be said. */
  readonly notCompared: readonly string[];
}

/**
 * Whether two runs say the same: the same cells, the same answers, the same table, the same rule and sysctl on the nodes.
 * Addresses and times are each cluster's own. Pure.
 */
export function compareRuns(one: Report, other: Report): RunComparison {
  const differences: string[] = [];
  const theirs = new Map(other.variants.map((variant) => [variantTitle(variant), variant]));
  const mine = new Map(one.variants.map((variant) => [variantTitle(variant), variant]));
  const only = (in_: Report, titles: readonly string[]) =>
    titles.map((title) => `${title}: only the run ${in_.id} (${in_.provider}) has it.`);
  let cells = 0;
  let variants = 0;
  for (const [title, variant] of mine) {
    const match = theirs.get(title);
    if (match === undefined) continue;
    variants += 1;
    cells += variant.cells.length;
    const say = (what: string, a: unknown, b: unknown) => {
      const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
      if (left !== right)
        differences.push(`${title}: ${what}: ${left} on ${one.provider}, ${right} on ${other.provider}.`);
    };
    say("INVALID rule on the nodes", variant.invalidDropRule, match.invalidDropRule);
    say("tcp_be_liberal", variant.tcpBeLiberal, match.tcpBeLiberal);
    say("table", variant.table, match.table);
    compareCells(variant, match, say);
  }
  return {
    variants,
    cells,
    differences,
    notCompared: [
      ...only(
        one,
        [...mine.keys()].filter((title) => !theirs.has(title)),
      ),
      ...only(
        other,
        [...theirs.keys()].filter((title) => !mine.has(title)),
      ),
    ],
  };
}

function compareCells(
  one: VariantResult,
  other: VariantResult,
  say: (what: string, a: unknown, b: unknown) => void,
): void {
  const outcome = (cell: CellResult | undefined) =>
    cell === undefined ? "not asked" : `expected ${cell.expected}, was ${cell.actual}`;
  const [a, b] = [one, other].map(({ cells }) => new Map(cells.map((cell) => [cell.id, cell])));
  for (const id of new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])]))
    say(`cell ${id}`, outcome(a?.get(id)), outcome(b?.get(id)));
}
