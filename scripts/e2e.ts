import { once } from "node:events";
import { join } from "node:path";
import type { Environment } from "../clusters/spec/environment.ts";
import { parseEnvironments } from "../clusters/environments/registry.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { hasCapability } from "../clusters/provider/capabilities.ts";
import { PROVIDER_NAMES } from "../clusters/spec/provider-name.ts";
import { loadProvider } from "../clusters/providers.ts";
import { selectSpecs } from "../e2e/harness.ts";
import { registerSuites, SUITE_NAMES } from "../e2e/specs/suites.ts";
import { parseRunOptions, type RunOptions, type Variables } from "../e2e/support/options.ts";
import { TestRun } from "../e2e/support/test-run.ts";
import { type Report, RESULTS_SCHEMA } from "../results/schema.ts";
import { RESULTS, writeReport } from "../results/files/write.ts";
import packageJson from "../package.json" with { type: "json" };
import { withoutOptions } from "./e2e/arguments.ts";
import { createCommand, type Flags, listVariables, parseHarnessSettings } from "./e2e/command.ts";
import { describeRun, type EnvironmentRun, findSkipReason, mergeRuns, runEnvironments } from "./e2e/environments.ts";
import { listExistingClusterVariables } from "./e2e/existing-cluster-options.ts";
import { checkExistingCluster, readReturnPath } from "./e2e/existing-cluster.ts";
import { SuiteRun } from "./e2e/suite-run.ts";
import { runOnChange } from "./e2e/watch.ts";

/** `npm run e2e`: brings a cluster up, runs specs, writes the results, takes the cluster down. */
const program = createCommand().parse();
const flags = program.opts<Flags>();
// With --json stdout is for the report alone; everything else goes to stderr.
const writeToStdout = process.stdout.write.bind(process.stdout);
if (flags.json) process.stdout.write = process.stderr.write.bind(process.stderr);
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const started = new Date();
const runId = flags.runId ?? started.toISOString().replaceAll(/[:.]/g, "-");

/** The only variant of an environment, unless another one is named. */
const ENVIRONMENT_VARIANT = { kubeProxy: DEFAULT_SPEC.kubeProxy.version, returnPath: "notrack" } as const;

process.exit(await main().catch((error: unknown) => stop(getErrorMessage(error))));

function stop(sentence: string): never {
  process.stderr.write(`e2e: ${sentence}\n`);
  process.exit(2);
}

/** @returns the exit status */
async function main(): Promise<number> {
  if (flags.watch) return watchSources();
  const suites = flags.suite.split(",").map((name) => name.trim());
  const unknown = suites.find((name) => !SUITE_NAMES.includes(name));
  if (unknown !== undefined) stop(`--suite ${unknown}: name some of ${SUITE_NAMES.join(", ")}.`);
  const providerName = PROVIDER_NAMES.find((name) => name === flags.provider);
  if (providerName === undefined) stop(`Unknown provider "${flags.provider}": use ${PROVIDER_NAMES.join(", ")}.`);
  const environments = parseEnvironmentOption(hasCapability(providerName, "create-clusters"));
  if (environments.length > 1) return runEachEnvironment(environments, providerName);
  const [environment] = environments;
  const reason = environment && (await findSkipReason(environment, providerName));
  if (reason !== undefined) stop(`--environment ${environment?.name ?? ""}: ${reason}.`);

  const settings = parseHarnessSettings(flags);
  let variables = readVariables(environment);
  let options = parseRunOptions(variables);
  if (flags.list) {
    await registerSuites(suites, new TestRun(options));
    for (const { name, labels, leftOut } of selectSpecs(settings))
      print(`${name} [${labels.join(", ")}]${leftOut === undefined ? "" : `: ${leftOut}`}`);
    return 0;
  }
  let complete: ((cluster: Parameters<typeof readReturnPath>[0]) => Promise<RunOptions>) | undefined;
  if (options.existing !== undefined) {
    const { suite, kubeProxy, returnPath } = flags;
    const asked = { yes: flags.yes === true, suite, kubeProxy, returnPath };
    const found = await checkExistingCluster(options.existing, asked, print);
    if (found.exitCode !== undefined) return found.exitCode;
    variables = { ...variables, INTERLAY_KUBE_PROXY: found.kubeProxy };
    if (found.returnPath !== undefined) variables = { ...variables, INTERLAY_RETURN_PATH: found.returnPath };
    else if (variables["INTERLAY_RETURN_PATH"] === undefined)
      complete = async (cluster) =>
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
    output: flags.output,
    complete,
    print,
    printReport: flags.json ? printReport : undefined,
  }).run();
}

/** Runs again whenever a source file changes, until a signal. */
async function watchSources(): Promise<number> {
  const argv = process.argv.slice(2).filter((argument) => argument !== "--watch" && argument !== "--keep");
  await runOnChange([...argv, "--keep"], print);
  print(`the cluster is kept: npm run down -- --provider ${flags.provider} --name ${flags.name}`);
  return 0;
}

function printReport(report: Report): void {
  writeToStdout(`${JSON.stringify(report)}\n`);
}

function parseEnvironmentOption(createsClusters: boolean): readonly Environment[] {
  if (flags.environment === undefined) return [];
  if (!createsClusters) stop("--environment: an existing cluster keeps its configuration; leave the option out.");
  try {
    return parseEnvironments(flags.environment);
  } catch (error) {
    return stop(`--environment: ${getErrorMessage(error)}.`);
  }
}

/** Returns the variables of the run: options of the command line, else the process environment, else the environment's own. */
function readVariables(environment: Environment | undefined): Variables {
  const isDefaultFamily = program.getOptionValueSource("family") === "default";
  const family = isDefaultFamily ? (environment?.families ?? flags.family) : flags.family;
  const asked = environment === undefined ? flags : { ...ENVIRONMENT_VARIANT, ...flags };
  return {
    ...process.env,
    ...listVariables(asked, { environment: environment?.name, family }),
    ...listExistingClusterVariables(program),
  };
}

/** Runs every environment in a process of its own, then writes one report of all. @returns the exit status */
async function runEachEnvironment(
  environments: readonly Environment[],
  provider: RunOptions["provider"],
): Promise<number> {
  const compose = (runs: readonly EnvironmentRun[]): Report => {
    const { versions, ...merged } = mergeRuns(runs, environments);
    return {
      schema: RESULTS_SCHEMA,
      id: runId,
      started: started.toISOString(),
      finished: new Date().toISOString(),
      provider,
      versions: { interlay: packageJson.version, ...versions },
      ...merged,
    };
  };
  const runs = await runEnvironments({
    environments,
    provider,
    name: flags.name,
    json: flags.json === true,
    print,
    argv: withoutOptions(process.argv.slice(2), ["--environment", "--name", "--run-id", "--output"], ["--json"]),
    directory: join(RESULTS, "runs", runId, "environments"),
    onDone: async (done) => {
      await writeReport(compose(done));
    },
  });
  const report = compose(runs);
  const directory = await writeReport(report);
  if (flags.json) printReport(report);
  const { passed, failed, skipped } = report.summary;
  print(`\n${runs.map(describeRun).join("\n")}`);
  print(`\nresults: ${directory}/report.json, report.html, report.md, junit.xml; each environment's in environments/`);
  print(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, "drain");
  return failed === 0 && passed > 0 && runs.length === environments.length ? 0 : 1;
}
