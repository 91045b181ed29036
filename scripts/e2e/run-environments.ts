import { readReport } from "../../results/files/write.ts";
import type { CheckResult, Report } from "../../results/schema.ts";
import { countByEnvironment } from "../../results/count-by-environment.ts";
import type { Environment } from "../../clusters/spec/environment.ts";
import { findMissingRequirement } from "../../clusters/environments/requirements.ts";
import { startScript, waitForExit } from "../../clusters/shell.ts";
import type { Provider } from "../../clusters/provider/provider.ts";

/** One environment's part of a run. */
export interface EnvironmentRun {
  readonly environment: Environment;
  readonly seconds: number;
  /** Undefined if the environment was skipped, or its run ended before it had results. */
  readonly report?: Report;
  /** Why this machine or provider cannot run the environment. */
  readonly skipped?: string;
  /** Why the run wrote no report. */
  readonly error?: string;
}

interface EnvironmentsOptions {
  readonly environments: readonly Environment[];
  readonly provider: Provider["name"];
  /** Name of the clusters: the environment's name is appended. */
  readonly name: string;
  /** Arguments of `e2e` for every environment. */
  readonly argv: readonly string[];
  /** Directory for the environments' own results. */
  readonly directory: string;
  /** Whether stdout is for the JSON report alone. */
  readonly json: boolean;
  readonly print: (text: string) => void;
  /** Called after every environment with all that have run. */
  readonly onDone?: (runs: readonly EnvironmentRun[]) => Promise<void>;
}

/**
 * Runs `e2e` once for every environment, each in a process and a cluster of its own, one after another. An environment
 * that fails does not stop the others; a signal does.
 */
export async function runEnvironments(options: EnvironmentsOptions): Promise<readonly EnvironmentRun[]> {
  const { environments, print } = options;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      stop.abort(signal);
    });
  const runs: EnvironmentRun[] = [];
  for (const environment of environments) {
    if (stop.signal.aborted) break;
    print(`\n== environment ${runs.length + 1} of ${environments.length}: ${environment.name} (${environment.title})`);
    const run = await runEnvironment(environment, options, stop.signal);
    runs.push(run);
    print(`== ${describeRun(run)}`);
    await options.onDone?.(runs);
  }
  return runs;
}

async function runEnvironment(
  environment: Environment,
  options: EnvironmentsOptions,
  signal: AbortSignal,
): Promise<EnvironmentRun> {
  const skipped = await findSkipReason(environment, options.provider);
  if (skipped !== undefined) return { environment, seconds: 0, skipped };
  const started = performance.now();
  const directory = `${options.directory}/${environment.name}`;
  const argv = [
    ...options.argv,
    "--environment",
    environment.name,
    "--name",
    `${options.name}-${environment.name}`,
    "--results-directory",
    directory,
  ];
  const outcome = await runChild(argv, options.json, signal);
  const seconds = (performance.now() - started) / 1000;
  const report = await readReport(directory).catch(() => undefined);
  return report === undefined ? { environment, seconds, error: outcome } : { environment, seconds, report };
}

/** Returns why the environment is not run here; undefined if it is. */
export async function findSkipReason(
  environment: Environment,
  provider: Provider["name"],
): Promise<string | undefined> {
  if (!environment.providers.some((name) => name === provider))
    return `the provider ${provider} cannot make it: use ${environment.providers.join(" or ")}`;
  return findMissingRequirement(environment);
}

/** Runs `e2e` as a child process. @returns how it ended, with its last line on stderr */
async function runChild(argv: readonly string[], json: boolean, signal: AbortSignal): Promise<string> {
  const child = startScript("scripts/e2e.ts", argv, { stdio: ["ignore", json ? process.stderr : "inherit", "pipe"] });
  let lastLine = "";
  child.stderr.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    lastLine = chunk.toString().trim().split("\n").at(-1) ?? lastLine;
  });
  return `e2e ended with ${await waitForExit(child, signal)}: ${lastLine}`;
}

/** Returns the result in one line: `nftables: 372 cells passed, 0 blocked as expected, 0 failed, 61 s`. */
export function describeRun({ environment, report, skipped, error, seconds }: EnvironmentRun): string {
  if (skipped !== undefined) return `${environment.name}: skipped, ${skipped}`;
  if (report === undefined) return `${environment.name}: FAILED without results, ${error ?? "it ended early"}`;
  const counts = countByEnvironment(report);
  const sum = (name: "passed" | "blocked" | "failed") => counts.reduce((total, entry) => total + entry[name], 0);
  const verdict = report.summary.failed === 0 ? "" : `, ${report.summary.failed} cells and checks NOT as expected`;
  return `${environment.name}: ${sum("passed")} cells passed, ${sum("blocked")} blocked as expected, ${sum("failed")} failed${verdict}, ${Math.round(seconds)} s`;
}

/**
 * Returns the variants, checks and counts of all environments as parts of one report. Pure.
 * @param requested environments of the run; one that has not run counts as failed
 */
export function mergeRuns(
  runs: readonly EnvironmentRun[],
  requested: readonly Environment[],
): Pick<Report, "variants" | "checks" | "summary" | "versions"> {
  const reports = runs.flatMap(({ report }) => report ?? []);
  const environmentChecks = requested.flatMap((environment) => checkRun(environment, runs));
  const sum = (name: keyof Report["summary"]) => reports.reduce((total, { summary }) => total + summary[name], 0);
  const count = (status: CheckResult["status"]) => environmentChecks.filter((check) => check.status === status).length;
  return {
    versions: Object.assign({}, ...reports.map(({ versions }) => versions)) as Report["versions"],
    variants: reports.flatMap(({ variants }) => variants),
    checks: [
      ...environmentChecks,
      ...runs.flatMap(({ environment, report }) =>
        (report?.checks ?? []).map((check) => ({ ...check, name: `${environment.name}: ${check.name}` })),
      ),
    ],
    summary: {
      passed: sum("passed"),
      failed: sum("failed") + count("failed"),
      skipped: sum("skipped") + count("skipped"),
    },
  };
}

/** Returns a check for an environment that was skipped, has not run or has no cells, so that the report mentions every environment. */
function checkRun(environment: Environment, runs: readonly EnvironmentRun[]): readonly CheckResult[] {
  const name = `environment ${environment.name}`;
  const run = runs.find((candidate) => candidate.environment === environment);
  if (run === undefined) return [{ name, status: "failed", seconds: 0, error: "it did not run: the run ended early" }];
  const { seconds, report, skipped, error } = run;
  if (skipped !== undefined) return [{ name, status: "skipped", seconds, error: skipped }];
  if (report === undefined) return [{ name, status: "failed", seconds, error: error ?? "it ended without results" }];
  const cells = report.variants.flatMap((variant) => variant.cells);
  return cells.length > 0 || report.summary.failed > 0
    ? []
    : [{ name, status: "failed", seconds, error: "no cell was asked" }];
}
