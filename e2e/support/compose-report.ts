import type { ClusterComponents, SuiteVersion } from "../../results/component-schema.ts";
import { type CheckResult, RESULTS_SCHEMA, type Report, type VariantResult } from "../../results/schema.ts";
import { variantTitle } from "../../results/title.ts";

/** Results of a run until it ended. */
interface RunFindings {
  readonly variants: readonly VariantResult[];
  readonly checks: readonly CheckResult[];
  readonly versions: Readonly<Record<string, string>>;
  readonly suite?: SuiteVersion | undefined;
  readonly components?: ClusterComponents | undefined;
}

/** Why a run ended before its specs did: in which stage, and with which error. */
export interface Failure {
  readonly stage: "selection" | "preflight" | "bring-up" | "specs" | "interrupt" | "crash" | "take-down" | "end";
  readonly error: string;
}

/**
 * Composes the report of a run, also of one that failed: a failure is a failed check `run: STAGE`, and so is a run that probed no
 * cell and made no check. Pure.
 */
export function composeReport(
  run: Pick<Report, "id" | "started" | "finished" | "provider" | "datapath" | "options">,
  { variants, checks, versions, suite, components }: RunFindings,
  failures: readonly Failure[],
): Report {
  const cells = variants.flatMap((variant) => variant.cells);
  const ran = cells.length > 0 || checks.some(({ status }) => status !== "skipped");
  const emptyVariants = variants
    .filter((variant) => variant.cells.length === 0)
    .map((variant): Failure => ({ stage: "selection", error: `${variantTitle(variant)}: no cell was probed` }));
  const nothingTested: Failure = {
    stage: "selection",
    error: "nothing was tested: no cell was probed, and every check was skipped",
  };
  const allChecks = [
    ...checks,
    ...(ran || failures.length > 0 ? [...failures, ...emptyVariants] : [nothingTested]).map(
      ({ stage, error }): CheckResult => ({
        name: `run: ${stage}`,
        status: "failed",
        seconds: 0,
        error,
      }),
    ),
  ];
  const count = (status: CheckResult["status"]) => allChecks.filter((check) => check.status === status).length;
  return {
    schema: RESULTS_SCHEMA,
    ...run,
    versions,
    ...(suite === undefined ? {} : { suite }),
    ...(components === undefined ? {} : { components }),
    variants: [...variants],
    checks: allChecks,
    summary: {
      passed: cells.filter((cell) => cell.ok).length + count("passed"),
      failed: cells.filter((cell) => !cell.ok).length + count("failed"),
      skipped: count("skipped"),
    },
  };
}

/**
 * Returns why a selection of cells is empty, so that no cluster is brought up for it; undefined if it is not. Pure.
 * @param ids ids of all cells
 */
export function explainEmptyCells(pattern: RegExp, ids: readonly string[]): string | undefined {
  if (ids.some((id) => pattern.test(id))) return undefined;
  return `--cells "${pattern.source}" matches none of the ${ids.length} cells, whose ids are like ${ids[0] ?? "(none)"}`;
}
