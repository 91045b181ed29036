import type { CellResult, Report, VariantResult } from "./schema.ts";
import { variantTitle } from "./title.ts";

/** How two runs differ. */
interface RunComparison {
  /** Number of variants that both runs contain. */
  readonly variants: number;
  /** Number of cells in these variants of the first run. */
  readonly cells: number;
  /** One sentence for each difference. */
  readonly differences: readonly string[];
  /** One sentence for each variant that only one run contains. */
  readonly notCompared: readonly string[];
}

/** Compares cells, tables, and kube-proxy's rule and the sysctl on the nodes of two runs; addresses and times may differ. */
export function compareRuns(one: Report, other: Report): RunComparison {
  const [first, second] = [indexVariants(one), indexVariants(other)];
  const pairs = [...first].flatMap(([title, variant]) => {
    const match = second.get(title);
    return match === undefined ? [] : [{ title, variant, match }];
  });
  return {
    variants: pairs.length,
    cells: pairs.reduce((sum, { variant }) => sum + variant.cells.length, 0),
    differences: pairs.flatMap(({ title, variant, match }) =>
      compareVariants(variant, match).map(
        ({ subject, values: [a, b] }) => `${title}: ${subject}: ${a} on ${one.provider}, ${b} on ${other.provider}.`,
      ),
    ),
    notCompared: [...describeMissing(one, first, second), ...describeMissing(other, second, first)],
  };
}

interface Difference {
  readonly subject: string;
  /** JSON of both values. */
  readonly values: readonly [string, string];
}

function compareVariants(one: VariantResult, other: VariantResult): readonly Difference[] {
  return [
    ...compareValues("INVALID rule on the nodes", one.invalidDropRule, other.invalidDropRule),
    ...compareValues("tcp_be_liberal", one.tcpBeLiberal, other.tcpBeLiberal),
    ...compareValues("table", one.table, other.table),
    ...compareCells(one.cells, other.cells),
  ];
}

/** Compares the results of cells by their ids. @returns the cells that differ, also those that only one list contains */
export function compareCells(one: readonly CellResult[], other: readonly CellResult[]): readonly Difference[] {
  const first = new Map(one.map((cell) => [cell.id, describeOutcome(cell)]));
  const second = new Map(other.map((cell) => [cell.id, describeOutcome(cell)]));
  return [...new Set([...first.keys(), ...second.keys()])].flatMap((id) =>
    compareValues(`cell ${id}`, first.get(id) ?? "not run", second.get(id) ?? "not run"),
  );
}

function compareValues(subject: string, one: unknown, other: unknown): readonly Difference[] {
  const values = [JSON.stringify(one), JSON.stringify(other)] as const;
  return values[0] === values[1] ? [] : [{ subject, values }];
}

function describeOutcome({ expected, actual }: CellResult): string {
  return `expected ${expected}, was ${actual}`;
}

type Variants = ReadonlyMap<string, VariantResult>;

function indexVariants({ variants }: Report): Variants {
  return new Map(variants.map((variant) => [variantTitle(variant), variant]));
}

function describeMissing({ id, provider }: Report, own: Variants, others: Variants): readonly string[] {
  return [...own.keys()]
    .filter((title) => !others.has(title))
    .map((title) => `${title}: only the run ${id} (${provider}) contains it.`);
}
