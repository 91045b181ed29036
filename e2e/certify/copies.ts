import { isDeepStrictEqual } from "node:util";
import type { Report } from "../../results/schema.ts";

/** Finds runs that contradict each other: copies, and runs at the same time in one cluster. */
export function findCopiedRuns(reports: readonly Report[]): readonly string[] {
  const problems: string[] = [];
  for (const [index, report] of reports.entries()) {
    if (Date.parse(report.finished) <= Date.parse(report.started))
      problems.push(`run ${report.id} ends before it starts`);
    for (const other of reports.slice(index + 1)) {
      const overlap = report.started < other.finished && other.started < report.finished;
      if (report.id === other.id || overlap) problems.push(`the runs ${report.id} and ${other.id} overlap in time`);
      // Measured in fractions of a microsecond, so that two runs are never equal.
      if (isDeepStrictEqual(listLatencies(report), listLatencies(other)))
        problems.push(`the runs ${report.id} and ${other.id} have the same latencies: one is a copy`);
    }
  }
  return problems;
}

const listLatencies = ({ variants }: Report): readonly number[] =>
  variants.flatMap(({ cells }) => cells.map(({ latencyMs }) => latencyMs));
