import { formatRerunFlags } from "../rerun.ts";
import type { CellResult, HopResult, Report, SummaryEntry } from "../schema.ts";
import { type ReportSummary, createRunSummary } from "../run-summary.ts";
import { variantTitle } from "../title.ts";

/** `place|link|direction`, followed by `|source|destination` where the addresses changed since the previous hop. */
export type PageHop = string;
export type PageHops = readonly [request: readonly PageHop[], reply: readonly PageHop[]];

/** Data of a cell that the page shows; a run has more than a thousand cells. */
export interface PageCell extends Omit<CellResult, "evidence" | "from" | "to" | "seen"> {
  readonly path?: {
    /** Absent if it equals the captured path. */
    readonly expected?: PageHops;
    /** `seen`: it equals the captured path. Absent if no trace was made. */
    readonly predicted?: PageHops | "seen";
    readonly seen: PageHops;
  };
  readonly rule?: string;
}

export interface PageVariant {
  readonly title: string;
  /** Flags of the command that runs it again. */
  readonly flags: string;
  readonly table: readonly (readonly SummaryEntry[])[];
  readonly cells: readonly PageCell[];
}

/** Data for the page's script: every cell of the run, and the summaries of this and earlier runs, newest first. */
export interface PageData {
  readonly variants: readonly PageVariant[];
  readonly runs: readonly ReportSummary[];
}

/** Creates the data of a report's page. */
export function createPageData(report: Report, earlier: readonly ReportSummary[]): PageData {
  return {
    variants: report.variants.map((variant) => ({
      title: variantTitle(variant),
      flags: formatRerunFlags(report, variant),
      table: variant.table,
      cells: variant.cells.map(createPageCell),
    })),
    runs: [createRunSummary(report), ...earlier],
  };
}

function createPageCell({ evidence, from: _from, to: _to, seen: _seen, ...cell }: CellResult): PageCell {
  const { path, counter } = evidence ?? {};
  return { ...cell, ...(path && { path: createPagePath(path) }), ...(counter && { rule: formatCounter(counter) }) };
}

type Path = NonNullable<NonNullable<CellResult["evidence"]>["path"]>;

function createPagePath({ expected, predicted, seen }: Path): NonNullable<PageCell["path"]> {
  const planned = toHopTexts(expected);
  const seenTexts = JSON.stringify(toHopTexts(seen));
  return {
    seen: [formatHopsWithAddresses(seen.request), formatHopsWithAddresses(seen.reply)],
    ...(seenTexts === JSON.stringify(planned) ? {} : { expected: planned }),
    ...(predicted === undefined
      ? {}
      : {
          predicted:
            seenTexts === JSON.stringify(toHopTexts(predicted))
              ? ("seen" as const)
              : ([formatHopsWithAddresses(predicted.request), formatHopsWithAddresses(predicted.reply)] as const),
        }),
  };
}

const toHopTexts = ({ request, reply }: Path["expected"]): PageHops => [request.map(formatHop), reply.map(formatHop)];

const formatHop = ({ place, link, direction }: HopResult): PageHop => `${place}|${link}|${direction}`;

function formatHopsWithAddresses(hops: Path["seen"]["request"]): readonly PageHop[] {
  return hops.map((hop, index) => {
    const previousHop = hops[index - 1];
    const isUnchanged = previousHop?.source === hop.source && previousHop.destination === hop.destination;
    return isUnchanged ? formatHop(hop) : `${formatHop(hop)}|${hop.source}|${hop.destination}`;
  });
}

const formatCounter = ({
  node,
  rule,
  before,
  after,
}: NonNullable<NonNullable<CellResult["evidence"]>["counter"]>): string =>
  `${node}: ${rule}: ${before} packets before, ${after} after`;
