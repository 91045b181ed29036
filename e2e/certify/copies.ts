import { isDeepStrictEqual } from "node:util";
import type { Report } from "../../results/schema.ts";

/** Runs that cannot both have been: one is the other's copy, or they were at the same time on one cluster. */
export function findCopiedRuns(reports: readonly Report[]): readonly string[] {
  const problems: string[] = [];
  for (const [index, report] of reports.entries()) {
    if (Date.parse(report.finished) <= Date.parse(report.started))
      problems.push(`Run ${report.id} ends before it begins.`);
    for (const other of reports.slice(index + 1)) {
      const overlap = report.started < other.finished && other.started < report.finished;
      if (report.id === other.id || overlap)
        problems.push(`The runs ${report.id} and ${other.id} are at the same time.`);
      // Measured in fractions of a microsecond: two runs never agree.
      if (isDeepStrictEqual(latencies(report), latencies(other)))
        problems.push(`The runs ${report.id} and ${other.id} have the same latencies: one is a copy.`);
    }
  }
  return problems;
}

const latencies = ({ variants }: Report): readonly number[] =>
  variants.flatMap(({ cells }) => cells.map(({ latencyMs }) => latencyMs));
