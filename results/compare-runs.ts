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
export function compareRuns(firstReport: Report, secondReport: Report): RunComparison {
  const [first, second] = [indexVariants(firstReport), indexVariants(secondReport)];
  const pairs = [...first].flatMap(([title, variant]) => {
    const match = second.get(title);
    return match === undefined ? [] : [{ title, variant, match }];
  });
  return {
    variants: pairs.length,
    cells: pairs.reduce((sum, { variant }) => sum + variant.cells.length, 0),
    differences: pairs.flatMap(({ title, variant, match }) =>
      compareVariants(variant, match).map(
        ({ subject, values: [a, b] }) =>
          `${title}: ${subject}: ${a} on ${firstReport.provider}, ${b} on ${secondReport.provider}.`,
      ),
    ),
    notCompared: [...describeMissing(firstReport, first, second), ...describeMissing(secondReport, second, first)],
  };
}

interface Difference {
  readonly subject: string;
  /** JSON of both values. */
  readonly values: readonly [string, string];
}

function compareVariants(firstVariant: VariantResult, secondVariant: VariantResult): readonly Difference[] {
  return [
    ...compareValues("INVALID rule on the nodes", firstVariant.invalidDropRule, secondVariant.invalidDropRule),
    ...compareValues("tcp_be_liberal", firstVariant.tcpBeLiberal, secondVariant.tcpBeLiberal),
    ...compareValues("table", firstVariant.table, secondVariant.table),
    ...compareCells(firstVariant.cells, secondVariant.cells),
  ];
}

/** Compares the results of cells by their ids. @returns the cells that differ, also those that only one list contains */
export function compareCells(
  firstCells: readonly CellResult[],
  secondCells: readonly CellResult[],
): readonly Difference[] {
  const first = new Map(firstCells.map((cell) => [cell.id, describeOutcome(cell)]));
  const second = new Map(secondCells.map((cell) => [cell.id, describeOutcome(cell)]));
  return [...new Set([...first.keys(), ...second.keys()])].flatMap((id) =>
    compareValues(`cell ${id}`, first.get(id) ?? "not run", second.get(id) ?? "not run"),
  );
}

function compareValues(subject: string, firstValue: unknown, secondValue: unknown): readonly Difference[] {
  const values = [JSON.stringify(firstValue), JSON.stringify(secondValue)] as const;
  return values[0] === values[1] ? [] : [{ subject, values }];
}

function describeOutcome({ expected, actual }: CellResult): string {
  return `expected ${expected}, was ${actual}`;
}

type Variants = ReadonlyMap<string, VariantResult>;

function indexVariants({ variants }: Report): Variants {
  return new Map(variants.map((variant) => [variantTitle(variant), variant]));
}

function describeMissing({ id, provider }: Report, ownVariants: Variants, otherVariants: Variants): readonly string[] {
  return [...ownVariants.keys()]
    .filter((title) => !otherVariants.has(title))
    .map((title) => `${title}: only the run ${id} (${provider}) contains it.`);
}
