import { hasArrived, type Judgement, judgePrediction } from "../../results/judge-prediction.ts";
import type { CellResult } from "../../results/schema.ts";
import { formatHop, type PacketPath } from "../evidence/path.ts";
import type { FailureKind, Trace } from "../../plugin/trace/trace.ts";

/** Comparison of a cell's trace with its probe. */
export interface ComparedCell {
  readonly id: string;
  readonly judgement: Judgement;
  readonly predicted: Trace["verdict"];
  readonly arrived: boolean;
  /** Why the trace predicts a failure, or cannot decide. */
  readonly reason: string;
  readonly kind: FailureKind | undefined;
  /** Set if the trace predicts another source address than the server saw. */
  readonly wrongSource?: { readonly predicted: string; readonly seen: string };
  /** Set if the cell passed, as predicted, but captures show other hops than the trace. */
  readonly wrongPath?: string;
}

/** The numbers of a comparison. */
export type JudgementCounts = Readonly<Record<Judgement | "wrongSource" | "wrongPath", number>>;

/** Compares a cell's trace with its probe, and the predicted path with the captured one. */
export function compareTrace(
  trace: Trace,
  result: Pick<CellResult, "id" | "actual" | "seen" | "evidence">,
  predicted?: PacketPath,
): ComparedCell {
  const failure = trace.paths.find(({ verdict }) => verdict === trace.verdict)?.failure;
  const source = compareSource(trace, result.seen);
  return {
    id: result.id,
    judgement: judgePrediction({ ...result, predicted: predictResult(trace) }) ?? "unknown",
    predicted: trace.verdict,
    arrived: hasArrived(result),
    reason: failure === undefined ? "" : `${failure.namespace}: ${failure.text}`,
    kind: failure?.kind,
    ...(source === undefined ? {} : { wrongSource: source }),
    ...comparePath(trace, result, predicted),
  };
}

/** Predicts the result of a cell. A trace has several paths if rules choose at random. */
export function predictResult({ paths }: Pick<Trace, "paths">): NonNullable<CellResult["predicted"]> {
  const verdicts = new Set(paths.map(({ verdict }) => (verdict === "reject" ? "drop" : verdict)));
  if (verdicts.has("pass") && verdicts.has("drop")) return "random";
  if (verdicts.has("unknown")) return "unknown";
  return verdicts.has("pass") ? "pass" : "fail";
}

function compareSource(trace: Trace, seen: string | undefined): ComparedCell["wrongSource"] {
  if (seen === undefined || trace.verdict !== "pass") return undefined;
  const predicted = new Set(trace.paths.flatMap(({ seenSource }) => seenSource ?? []));
  return predicted.size === 0 || predicted.has(seen) ? undefined : { predicted: [...predicted].join(", "), seen };
}

/** Compares the hops of a cell that passed as predicted with captured ones. A random choice may take any of its paths. */
function comparePath(
  { verdict, paths }: Trace,
  { actual, evidence }: Pick<CellResult, "actual" | "evidence">,
  predicted: PacketPath | undefined,
): Pick<ComparedCell, "wrongPath"> {
  const seen = evidence?.path?.seen;
  if (predicted === undefined || seen === undefined || verdict !== "pass" || actual !== "pass" || paths.length > 1)
    return {};
  const format = ({ request, reply }: PacketPath): string => [...request, ...reply].map(formatHop).join(", ");
  const [expected, actualPath] = [format(predicted), format(seen)];
  return expected === actualPath ? {} : { wrongPath: `predicted ${expected}; captured ${actualPath}` };
}

/** Counts the judgements of cells. */
export function countJudgements(cells: readonly ComparedCell[]): JudgementCounts {
  const count = (judgement: Judgement) => cells.filter((cell) => cell.judgement === judgement).length;
  return {
    right: count("right"),
    "false-green": count("false-green"),
    "false-red": count("false-red"),
    unknown: count("unknown"),
    random: count("random"),
    wrongSource: cells.filter(({ wrongSource }) => wrongSource !== undefined).length,
    wrongPath: cells.filter(({ wrongPath }) => wrongPath !== undefined).length,
  };
}

/** Formats the counts as one line. */
export function formatCounts(counts: JudgementCounts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
