import { join } from "node:path";
import type { Command } from "commander";
import type { Environment } from "../../clusters/spec/environment.ts";
import { parseEnvironments } from "../../clusters/environments/registry.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { PROVIDER_NAMES } from "../../clusters/spec/provider-name.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { selectSpecs } from "../../e2e/harness.ts";
import { registerSuites, SUITE_NAMES } from "../../e2e/specs/suites.ts";
import { parseRunOptions, type RunOptions } from "../../e2e/support/run-options.ts";
import { listRerunOptions } from "../../e2e/support/rerun-options.ts";
import { TestRun } from "../../e2e/support/test-run.ts";
import { type Report, RESULTS_SCHEMA } from "../../results/schema.ts";
import { RESULTS, writeReport } from "../../results/files/write.ts";
import packageJson from "../../package.json" with { type: "json" };
import { listArguments } from "./arguments.ts";
import { createCommand, type Flags, parseHarnessSettings } from "./e2e-command.ts";
import { describeRun, type EnvironmentRun, findSkipReason, mergeRuns, runEnvironments } from "./run-environments.ts";
import { checkExistingCluster, readReturnPath } from "./check-existing-cluster.ts";
import { formatOutput } from "../interlay/program/output.ts";
import { readRunVariables } from "./run-variables.ts";
import { SuiteRun } from "./suite-run.ts";
import { runOnChange } from "./watch.ts";

/** One run of the command: its options and its output functions. */
interface Invocation {
  readonly command: Command;
  readonly flags: Flags;
  readonly started: Date;
  readonly runId: string;
  readonly print: (text: string) => void;
  /** Prints the report on stdout; undefined: stdout is for people. */
  readonly printReport: ((report: Report) => void) | undefined;
}

/** `interlay dev e2e`, `npm run e2e`: brings a cluster up, runs specs, writes the results, takes the cluster down. */
export function createE2eCommand(): Command {
  return createCommand("e2e", "kind").action(runE2e);
}

/** `interlay test`: runs specs on the cluster of the kubeconfig, and writes the results. */
export function createTestCommand(): Command {
  return createCommand("test", "existing").action(runE2e);
}

async function runE2e(flags: Flags, command: Command): Promise<void> {
  const format = flags.json ? "json" : flags.output;
  // With a report on stdout, everything else goes to stderr.
  const writeToStdout = process.stdout.write.bind(process.stdout);
  if (format !== "table") process.stdout.write = process.stderr.write.bind(process.stderr);
  const printReport = (report: Report): void => {
    writeToStdout(format === "yaml" ? formatOutput(format, report, () => "") : `${JSON.stringify(report)}\n`);
  };
  const started = new Date();
  process.exitCode = await runInvocation({
    command,
    flags,
    started,
    runId: flags.runId ?? started.toISOString().replaceAll(/[:.]/g, "-"),
    print: (text) => process.stdout.write(`${text}\n`),
    printReport: format === "table" ? undefined : printReport,
  });
}

/** Runs the command. @returns the exit status */
async function runInvocation(invocation: Invocation): Promise<number> {
  const { command, flags, print, printReport, started, runId } = invocation;
  if (flags.watch) return watchSources(invocation);
  const suites = flags.suite.split(",").map((name) => name.trim());
  const unknownSuite = suites.find((name) => !SUITE_NAMES.includes(name));
  if (unknownSuite !== undefined) throw new Error(`--suite ${unknownSuite}: name some of ${SUITE_NAMES.join(", ")}.`);
  const providerName = PROVIDER_NAMES.find((name) => name === flags.provider);
  if (providerName === undefined)
    throw new Error(`Unknown provider "${flags.provider}": use ${PROVIDER_NAMES.join(", ")}.`);
  const environments = parseEnvironmentOption(flags, hasCapability(providerName, "create-clusters"));
  if (environments.length > 1) return runEachEnvironment(invocation, environments, providerName);
  const [environment] = environments;
  const reason = environment && (await findSkipReason(environment, providerName));
  if (reason !== undefined) throw new Error(`--environment ${environment?.name ?? ""}: ${reason}.`);

  const settings = parseHarnessSettings(flags);
  let variables = readRunVariables(command, environment);
  let options = parseRunOptions(variables);
  if (flags.list) {
    await registerSuites(suites, new TestRun(options));
    for (const { name, labels, leftOut } of selectSpecs(settings))
      print(`${name} [${labels.join(", ")}]${leftOut === undefined ? "" : `: ${leftOut}`}`);
    return 0;
  }
  let completeOptions: ((cluster: Parameters<typeof readReturnPath>[0]) => Promise<RunOptions>) | undefined;
  if (options.existing !== undefined) {
    const { suite, kubeProxy, returnPath } = flags;
    const requested = { yes: flags.yes === true, suite, kubeProxy, returnPath };
    const check = await checkExistingCluster(options.existing, requested, print);
    if (check.exitCode !== undefined) return check.exitCode;
    variables = { ...variables, INTERLAY_KUBE_PROXY: check.kubeProxy };
    if (kubeProxy !== undefined) variables = { ...variables, INTERLAY_KUBE_PROXY_NAMED: kubeProxy };
    if (check.returnPath !== undefined) variables = { ...variables, INTERLAY_RETURN_PATH: check.returnPath };
    else if (variables["INTERLAY_RETURN_PATH"] === undefined)
      completeOptions = async (cluster) =>
        parseRunOptions({ ...variables, INTERLAY_RETURN_PATH: await readReturnPath(cluster) });
    options = parseRunOptions(variables);
  }
  const provider = await loadProvider(providerName, options.existing);
  return new SuiteRun({
    id: runId,
    started,
    provider,
    options,
    suites,
    settings,
    output: flags.resultsDirectory,
    completeOptions,
    print,
    printReport,
  }).run();
}

/** Runs again whenever a source file changes, until a signal. */
async function watchSources({ command, flags, print }: Invocation): Promise<number> {
  const argv = listArguments(command, ["watch", "keep"]);
  await runOnChange([...argv, "--keep"], print);
  print(`the cluster is kept: npm run down -- --provider ${flags.provider} --name ${flags.name}`);
  return 0;
}

function parseEnvironmentOption(flags: Flags, createsClusters: boolean): readonly Environment[] {
  if (flags.environment === undefined) return [];
  if (!createsClusters)
    throw new Error("--environment: an existing cluster keeps its configuration; leave the option out.");
  try {
    return parseEnvironments(flags.environment);
  } catch (error) {
    throw new Error(`--environment: ${getErrorMessage(error)}.`, { cause: error });
  }
}

/** Runs every environment in a process of its own, then writes one report of all. @returns the exit status */
async function runEachEnvironment(
  invocation: Invocation,
  environments: readonly Environment[],
  provider: RunOptions["provider"],
): Promise<number> {
  const { command, flags, print, printReport, started, runId } = invocation;
  const compose = (runs: readonly EnvironmentRun[]): Report => {
    const { versions, ...merged } = mergeRuns(runs, environments);
    return {
      schema: RESULTS_SCHEMA,
      id: runId,
      started: started.toISOString(),
      finished: new Date().toISOString(),
      provider,
      options: [...listRerunOptions(readRunVariables(command, undefined), provider)],
      versions: { interlay: packageJson.version, ...versions },
      ...merged,
    };
  };
  const runs = await runEnvironments({
    environments,
    provider,
    name: flags.name,
    json: printReport !== undefined,
    print,
    argv: listArguments(command, ["environment", "name", "runId", "resultsDirectory", "output", "json"]),
    directory: join(RESULTS, "runs", runId, "environments"),
    onDone: async (finishedRuns) => {
      await writeReport(compose(finishedRuns));
    },
  });
  const report = compose(runs);
  const directory = await writeReport(report);
  printReport?.(report);
  const { passed, failed, skipped } = report.summary;
  print(`\n${runs.map(describeRun).join("\n")}`);
  print(`\nresults: ${directory}/report.json, report.html, report.md, junit.xml; each environment's in environments/`);
  print(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return failed === 0 && passed > 0 && runs.length === environments.length ? 0 : 1;
}
