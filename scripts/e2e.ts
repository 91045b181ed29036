import { once } from "node:events";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { Environment } from "../clusters/environments/environment.ts";
import { parseEnvironments } from "../clusters/environments/registry.ts";
import { listFamilies } from "../clusters/spec.ts";
import { createProgress } from "../clusters/create-progress.ts";
import { PROVIDER_NAMES } from "../clusters/provider-name.ts";
import { loadProvider } from "../clusters/providers.ts";
import { type Cluster, type ClusterSpec, DEFAULT_SPEC } from "../clusters/provider.ts";
import { runOptions, specFor, useCluster } from "../e2e/support/context.ts";
import * as harness from "../e2e/harness.ts";
import { cells, type Features } from "../e2e/matrix/cells.ts";
import { recordedSnapshots, recordedVariants, recordedVersions } from "../e2e/support/run-results.ts";
import { takeSnapshot } from "../e2e/snapshot/snapshot.ts";
import { type CheckResult, type Report, RESULTS_SCHEMA } from "../results/schema.ts";
import { writeBundle } from "../results/bundle.ts";
import { RESULTS, writeReport, writeReportIn } from "../results/write.ts";
import packageJson from "../package.json" with { type: "json" };
import { renderVariantTable } from "./e2e/table.ts";
import { withoutOptions } from "./e2e/arguments.ts";
import { describeRun, type EnvironmentRun, findSkipReason, mergeRuns, runEnvironments } from "./e2e/environments.ts";
import { composeReport, type Failure, refuseEmptyCells } from "./e2e/report.ts";
import { lookAtExisting, returnPathThere } from "./e2e/existing-cluster.ts";
import { addExistingClusterOptions, exportExistingClusterOptions } from "./e2e/existing-cluster-options.ts";
import { runOnChange } from "./e2e/watch.ts";

/** The spec files, in this order; agent, doctor, install and evidence make faults, which ends with their specs. */
const SUITES: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["matrix", () => import("../e2e/specs/matrix.e2e.ts")],
  ["plugin", () => import("../e2e/specs/plugin.e2e.ts")],
  ["agent", () => import("../e2e/specs/agent.e2e.ts")],
  ["discovery", () => import("../e2e/specs/discovery.e2e.ts")],
  ["return-path", () => import("../e2e/specs/return-path.e2e.ts")],
  ["agent-cluster", () => import("../e2e/specs/agent-cluster.e2e.ts")],
  ["doctor", () => import("../e2e/specs/doctor.e2e.ts")],
  ["rbac", () => import("../e2e/specs/rbac.e2e.ts")],
  ["install", () => Promise.all([import("../e2e/specs/install.e2e.ts"), import("../e2e/specs/uninstall.e2e.ts")])],
  ["evidence", () => import("../e2e/specs/evidence.e2e.ts")],
  ["validation", () => import("../e2e/specs/validation.e2e.ts")],
  ["ipam", () => Promise.all([import("../e2e/specs/ipam.e2e.ts"), import("../e2e/specs/ipam-faults.e2e.ts")])],
  ["existing-cluster", () => import("../e2e/specs/existing-cluster.e2e.ts")],
  ["lab-isolation", () => import("../e2e/specs/lab-isolation.e2e.ts")],
  ["parity", () => import("../e2e/specs/parity.e2e.ts")],
  ["mutants", () => import("../e2e/specs/mutants.e2e.ts")],
  ["chaos", () => import("../e2e/specs/chaos.e2e.ts")],
];

/** `npm run e2e`: the main job. Cluster up, specs, table, results, cluster down. */
const program = addExistingClusterOptions(
  new Command("e2e")
    .description("bring a cluster up, run the connectivity matrix for every variant, write the results")
    .option("--provider <name>", `where the cluster comes from: ${PROVIDER_NAMES.join(", ")}`, "kind")
    .option("--kube-proxy <list>", "versions, with a mode if not iptables: v1.28.15,v1.29.15/nftables")
    .option("--kubernetes <version>", "the control plane's version", DEFAULT_SPEC.kubernetes)
    .option("--family <family>", "ipv4, ipv6, or dual: every cell over both", "ipv4")
    .option("--return-path <list>", "liberal, notrack, none")
    .option(
      "--environment <list>",
      "cluster configurations (docs/environments.md), or all; each gets a cluster of its own",
    )
    .option("--nodes <n>", "worker nodes", String(DEFAULT_SPEC.workers))
    .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
    .option("--label <expression>", "only specs whose labels fit, like matrix && !slow")
    .option("--filter <regexp>", "only specs whose full name fits")
    .option("--shard <part>", "only a part of the specs, like 2/3")
    .option("--shuffle <seed>", "specs in a random order, the same for the same seed")
    .option("--fail-fast", "skip the rest after the first failure")
    .option("--retry <n>", "further attempts for a spec that fails")
    .option("--repeat <n>", "run every spec so often")
    .option("--reporter <name>", "mocha's reporter", "spec")
    .option("--list", "print the specs with their labels, and run nothing")
    .option(
      "--suite <list>",
      `what to run, of ${SUITES.map(([known]) => known).join(", ")}; evidence breaks things and looks what the report says`,
      "matrix",
    )
    .option("--cells <regexp>", "only cells whose id fits")
    .option("--evidence <which>", "the packets' ways from captures: none, failed (and blocked) or all cells")
    .option("--snapshot", "state of nodes and pods into bundle.tar.gz also when nothing fails")
    .option("--run-id <id>", "name of the run's directory in results/runs")
    .option("--watch", "keep the cluster, and run again when a source file changes")
    .option("--keep", "leave cluster and pods as they are: the next run starts at once")
    .addOption(new Option("--output <directory>", "where the results go, of an environment within a run").hideHelp())
    .option("--json", "print the report as JSON on stdout, all else on stderr"),
).parse();
const flags = program.opts<{
  provider: string;
  kubernetes: string;
  family: string;
  kubeProxy?: string;
  returnPath?: string;
  environment?: string;
  nodes: string;
  name: string;
  yes?: true;
  label?: string;
  filter?: string;
  shard?: string;
  shuffle?: string;
  failFast?: true;
  retry?: string;
  repeat?: string;
  reporter: string;
  list?: true;
  suite: string;
  cells?: string;
  evidence?: string;
  snapshot?: true;
  runId?: string;
  output?: string;
  watch?: true;
  keep?: true;
  json?: true;
}>();

// With --json stdout is the report alone; mocha and everybody else write to stderr.
const writeToStdout = process.stdout.write.bind(process.stdout);
if (flags.json) process.stdout.write = process.stderr.write.bind(process.stderr);
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function stop(sentence: string): never {
  process.stderr.write(`e2e: ${sentence}\n`);
  process.exit(2);
}

if (flags.watch) {
  const again = process.argv.slice(2).filter((argument) => argument !== "--watch" && argument !== "--keep");
  await runOnChange([...again, "--keep"], say);
  say(`the cluster is left as it is: npm run down -- --provider ${flags.provider} --name ${flags.name}`);
  process.exit(0);
}

/** Which of them the cluster has is known once it is up. */
const EVERY_FEATURE: Features = { dns: true, vips: true, hostPorts: true, sourceGuard: true, forwardDrop: true };

/** The one variant of an environment, where no other is asked for. */
const ENVIRONMENT_VARIANT = { kubeProxy: DEFAULT_SPEC.kubeProxy.version, returnPath: "notrack" } as const;

const suites = flags.suite.split(",").map((name) => {
  const suite = SUITES.find(([known]) => known === name.trim())?.[1];
  return suite ?? stop(`--suite ${name}: name some of ${SUITES.map(([known]) => known).join(", ")}.`);
});
const provider = await loadProvider(flags.provider).catch((error: unknown) =>
  stop(error instanceof Error ? error.message : String(error)),
);
const started = new Date();
const runId = flags.runId ?? started.toISOString().replaceAll(/[:.]/g, "-");
const environments = readEnvironments();
if (environments.length > 1) process.exit(await environmentsRun());
const [environment] = environments;
if (environment !== undefined) {
  const reason = await findSkipReason(environment, provider.name);
  if (reason !== undefined) stop(`--environment ${environment.name}: ${reason}.`);
}
const asked = environment === undefined ? flags : { ...ENVIRONMENT_VARIANT, ...flags };
const family =
  program.getOptionValueSource("family") === "default" ? (environment?.families ?? flags.family) : flags.family;
exportExistingClusterOptions(program);
// The specs read their options from the environment, so that one spec alone has them too.
for (const [name, value] of Object.entries({
  INTERLAY_KUBE_PROXY: asked.kubeProxy,
  INTERLAY_RETURN_PATH: asked.returnPath,
  INTERLAY_ENVIRONMENT: environment?.name,
  INTERLAY_NODES: flags.nodes,
  INTERLAY_PROVIDER: flags.provider,
  INTERLAY_KUBERNETES: flags.kubernetes,
  INTERLAY_FAMILY: family,
  INTERLAY_CLUSTER: flags.name,
  INTERLAY_LABEL: flags.label,
  INTERLAY_CELLS: flags.cells,
  INTERLAY_EVIDENCE: flags.evidence,
  INTERLAY_SNAPSHOT: flags.snapshot ? "true" : undefined,
  INTERLAY_KEEP: flags.keep ? "true" : undefined,
}))
  if (value !== undefined) process.env[name] = value;

const existing = provider.name === "existing";
const settings = {
  ...(flags.label === undefined ? {} : { label: flags.label }),
  ...(flags.filter === undefined ? {} : { filter: flags.filter }),
  ...(flags.shard === undefined ? {} : { shard: flags.shard }),
  ...wholeNumbers(["shuffle", "retry", "repeat"]),
  failFast: flags.failFast === true,
  reporter: flags.reporter,
};
if (flags.list) {
  await register();
  for (const { name, labels, leftOut } of harness.selectSpecs(settings))
    say(`${name} [${labels.join(", ")}]${leftOut === undefined ? "" : `: ${leftOut}`}`);
  process.exit(0);
}
if (existing) {
  const asked = {
    yes: flags.yes === true,
    suite: flags.suite,
    kubeProxy: flags.kubeProxy,
    returnPath: flags.returnPath,
  };
  const end = await lookAtExisting(asked, say).catch((error: unknown) => stop(messageOf(error)));
  if (end !== undefined) process.exit(end);
}

const progress = createProgress();
const datapath = process.env["INTERLAY_DATAPATH"] === "none" ? "none" : "interlay";
const run = { id: runId, provider: provider.name, ...(existing ? ({ datapath } as const) : {}) };
const checks: CheckResult[] = [];
const failures: Failure[] = [];
const state: {
  stage: Failure["stage"];
  signal?: string;
  signalled: number;
  specsRun: boolean;
  cluster?: Cluster;
  /** Taking down what an interrupted bring-up has made so far. */
  down?: Promise<void>;
} = {
  stage: "selection",
  signalled: 0,
  specsRun: false,
};
let interrupted: (error: Error) => void = () => undefined;
const interruption = new Promise<never>((_, reject) => (interrupted = reject));
interruption.catch(() => undefined);

const options = runOptions();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
for (const event of ["uncaughtException", "unhandledRejection"] as const)
  process.on(event, (error: unknown) => {
    if (!state.specsRun) void crash(error); // while the specs run, the spec that is to blame fails
  });
process.exit(await main());

function readEnvironments(): readonly Environment[] {
  if (flags.environment === undefined) return [];
  if (provider.name === "existing") stop("--environment: an existing cluster is as it is; leave the option out.");
  try {
    return parseEnvironments(flags.environment);
  } catch (error) {
    return stop(`--environment: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Runs every environment, then writes one report of all. @returns the exit status */
async function environmentsRun(): Promise<number> {
  const compose = (runs: readonly EnvironmentRun[]): Report => {
    const { versions, ...merged } = mergeRuns(runs, environments);
    return {
      ...{ schema: RESULTS_SCHEMA, id: runId, started: started.toISOString(), finished: new Date().toISOString() },
      provider: provider.name,
      versions: { interlay: packageJson.version, ...versions },
      ...merged,
    };
  };
  const runs = await runEnvironments({
    ...{ environments, provider: provider.name, name: flags.name, json: flags.json === true, say },
    argv: withoutOptions(process.argv.slice(2), ["--environment", "--name", "--run-id", "--output"], ["--json"]),
    directory: join(RESULTS, "runs", runId, "environments"),
    onDone: async (done) => {
      await writeReport(compose(done));
    },
  });
  const report = compose(runs);
  const directory = await writeReport(report);
  if (flags.json) writeToStdout(`${JSON.stringify(report)}\n`);
  const { passed, failed, skipped } = report.summary;
  say(`\n${runs.map(describeRun).join("\n")}`);
  say(`\nresults: ${directory}/report.json, report.html, report.md, junit.xml; each environment's in environments/`);
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, "drain");
  return failed === 0 && passed > 0 && runs.length === environments.length ? 0 : 1;
}

/** Brings the cluster up, runs the specs, writes the results whatever happens, takes the cluster down. */
async function main(): Promise<number> {
  const attempt = async (): Promise<void> => {
    // With an existing cluster, the return path that the specs are registered for may have to be read there first.
    const late = existing && process.env["INTERLAY_RETURN_PATH"] === undefined;
    if (!late) await register();
    const wanted = await specFor(options);
    if (!late) refuseEmptySelection(wanted);
    await write([{ stage: "end", error: "the run did not end: it was killed, or it runs still" }]);
    state.stage = "preflight";
    const others = flags.suite === "matrix" ? [] : [DEFAULT_SPEC.kubeProxy]; // the other suites switch to it
    const spec = { ...wanted, kubeProxies: [...wanted.kubeProxies, ...others] };
    const findings = existing ? [] : await provider.preflight(spec); // those of an existing cluster are known
    for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
    const errors = findings.filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
    state.stage = "bring-up";
    const up = provider.up(spec, progress);
    // With --keep an interrupt ends the run at once; otherwise the handler takes down what `up` needs, and it fails.
    state.cluster = await (options.keep ? Promise.race([up, interruption]) : up);
    if (state.signal !== undefined) return;
    useCluster(state.cluster);
    if (late) {
      process.env["INTERLAY_RETURN_PATH"] = await returnPathThere(state.cluster);
      await register();
      refuseEmptySelection(wanted);
    }
    state.stage = "specs";
    state.specsRun = true;
    checks.push(...(await harness.runSpecs(settings)).checks);
    state.specsRun = false;
  };
  await attempt().catch((error: unknown) => {
    state.specsRun = false;
    if (state.signal !== undefined) return;
    process.stderr.write(`e2e: ${messageOf(error)}\n`);
    failures.push({ stage: state.stage, error: messageOf(error) });
  });
  if (state.signal !== undefined) failures.push({ stage: "interrupt", error: `${state.signal} during ${state.stage}` });
  if (state.stage === "selection" && failures.length > 0) {
    await write(failures);
    return 2;
  }
  await writeAll();
  await state.down;
  if (!options.keep && state.stage !== "preflight")
    await provider.down(options.name, progress).catch(async (error: unknown) => {
      process.stderr.write(`e2e: ${messageOf(error)}\n`);
      failures.push({ stage: "take-down", error: messageOf(error) });
      await write(failures);
    });
  for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, "drain");
  if (state.signal !== undefined) return 130;
  if (state.stage === "preflight") return 2;
  return reportNow(failures).summary.failed === 0 ? 0 : 1;
}

async function register(): Promise<void> {
  for (const suite of suites) await suite();
}

/** Throws where no spec or no cell would be asked, before anything is brought up for it. */
function refuseEmptySelection(spec: ClusterSpec): void {
  const specs = harness.selectSpecs(settings);
  const labels = [...new Set(specs.flatMap((one) => one.labels))].sort().join(", ");
  if (specs.every(({ leftOut }) => leftOut !== undefined))
    throw new Error(
      `nothing is selected: of ${specs.length} specs in --suite ${flags.suite} none fits (labels there: ${labels})`,
    );
  if (existing || !flags.suite.split(",").includes("matrix")) return;
  const ids = cells(options.workers, listFamilies(spec), EVERY_FEATURE).map(({ id }) => id);
  const refusal = refuseEmptyCells(options.cells, ids);
  if (refusal !== undefined) throw new Error(refusal);
}

function reportNow(failed: readonly Failure[]) {
  return composeReport(
    { ...run, started: started.toISOString(), finished: new Date().toISOString() },
    { variants: recordedVariants, checks, versions: { interlay: packageJson.version, ...recordedVersions } },
    failed,
  );
}

async function write(failed: readonly Failure[]): Promise<string> {
  const report = reportNow(failed);
  if (flags.output === undefined) return writeReport(report);
  await writeReportIn(flags.output, report);
  return flags.output;
}

/** The tables, the files, the bundle and the closing line. */
async function writeAll(): Promise<void> {
  const report = reportNow(failures);
  const { passed, failed, skipped } = report.summary;
  for (const variant of recordedVariants) say(`\n${renderVariantTable(variant)}`);
  const directory = await write(failures);
  if (state.cluster !== undefined && recordedSnapshots.size === 0 && (failed > 0 || options.snapshot))
    await takeSnapshot(state.cluster, new Map()).then(
      (files) => {
        for (const [file, text] of files) recordedSnapshots.set(`snapshot/${file}`, text);
      },
      (error: unknown) => process.stderr.write(`e2e: no snapshot of nodes and pods: ${messageOf(error)}\n`),
    );
  const bundle = recordedSnapshots.size > 0 ? await writeBundle(directory, recordedSnapshots) : undefined;
  if (flags.json) writeToStdout(`${JSON.stringify(report)}\n`);
  say(
    `\nresults: ${directory}/report.json, report.html, report.md, junit.xml${bundle === undefined ? "" : ", bundle.tar.gz"}`,
  );
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
}

/**
 * The first signal ends the specs with their cleanups, writes the results and takes the cluster down; one that comes more than
 * a second later ends this process. npm, tsx and the terminal each pass the same signal on, so that two in a second are one.
 */
function onSignal(signal: string): void {
  if (state.signal !== undefined) {
    if (performance.now() - state.signalled > 1000) process.exit(130);
    return;
  }
  state.signal = signal;
  state.signalled = performance.now();
  process.stderr.write(
    `\n${signal}: ending the specs, writing the results, ${options.keep ? "leaving" : "taking down"} the cluster; once more to end at once.\n`,
  );
  harness.interrupt(signal);
  interrupted(new Error(signal));
  if (!options.keep && !state.specsRun) state.down = provider.down(options.name, progress).catch(() => undefined);
}

async function crash(error: unknown): Promise<void> {
  process.stderr.write(`e2e: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  await write([...failures, { stage: "crash", error: messageOf(error) }]).catch(() => undefined);
  process.exit(1);
}

function wholeNumbers(names: readonly ("shuffle" | "retry" | "repeat")[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = flags[name];
      if (value === undefined) return [];
      if (!/^\d+$/.test(value)) stop(`invalid --${name} "${value}": a whole number is needed`);
      return [[name, Number(value)]];
    }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
