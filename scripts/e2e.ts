import { once } from "node:events";
import { join } from "node:path";
import type { Environment } from "../clusters/environments/environment.ts";
import { Command, Option } from "commander";
import { createProgress } from "../clusters/progress-for.ts";
import { parseEnvironments } from "../clusters/environments/registry.ts";
import { PROVIDER_NAMES, providerNamed } from "../clusters/providers.ts";
import { type Cluster, DEFAULT_SPEC } from "../clusters/provider.ts";
import { runOptions, specFor, theCluster, useCluster } from "../e2e/context.ts";
import { takeSnapshot } from "../e2e/snapshot/snapshot.ts";
import { RESULTS_SCHEMA, type Report } from "../results/schema.ts";
import { writeBundle } from "../results/bundle.ts";
import { RESULTS, writeReport, writeReportIn } from "../results/write.ts";
import packageJson from "../package.json" with { type: "json" };
import { variantTable } from "./e2e-table.ts";
import { withoutOptions } from "./e2e/arguments.ts";
import { describeRun, findSkipReason, mergeRuns, runEnvironments } from "./e2e/environments.ts";
import { lookAtExisting, returnPathThere } from "./existing.ts";
import { runOnChange } from "./watch.ts";

/** The spec files, in this order; agent, doctor, install and evidence make faults, which ends with their specs. */
const SUITES: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["matrix", () => import("../e2e/matrix.e2e.ts")],
  ["plugin", () => import("../e2e/plugin.e2e.ts")],
  ["agent", () => import("../e2e/agent.e2e.ts")],
  ["facts", () => import("../e2e/facts.e2e.ts")],
  ["return-path", () => import("../e2e/return-path.e2e.ts")],
  ["duties", () => import("../e2e/duties.e2e.ts")],
  ["doctor", () => import("../e2e/doctor.e2e.ts")],
  ["rights", () => import("../e2e/rights.e2e.ts")],
  ["install", () => Promise.all([import("../e2e/install.e2e.ts"), import("../e2e/uninstall.e2e.ts")])],
  ["evidence", () => import("../e2e/evidence.e2e.ts")],
  ["crds", () => import("../e2e/crds.e2e.ts")],
  ["ipam", () => Promise.all([import("../e2e/ipam.e2e.ts"), import("../e2e/ipam-faults.e2e.ts")])],
  ["guest", () => import("../e2e/guest.e2e.ts")],
  ["labs", () => import("../e2e/labs.e2e.ts")],
  ["parity", () => import("../e2e/parity.e2e.ts")],
  ["mutants", () => import("../e2e/mutants.e2e.ts")],
  ["chaos", () => import("../e2e/chaos.e2e.ts")],
];

/** `npm run e2e`: the main job. Cluster up, specs, table, results, cluster down. */
const program = new Command("e2e")
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
  .option("--kubeconfig <file>", "with --provider existing: which cluster")
  .option("--context <name>", "with --provider existing: of the kubeconfig, if not its current one")
  .option("--yes", "with --provider existing: run the suite there; without it nothing is changed")
  .option(
    "--datapath <which>",
    "with --provider existing: interlay, or none to judge a solution that is installed there",
  )
  .option("--network <namespace/name>", "with --provider existing: what underlay links are made from")
  .option("--pool <range>", "with --provider existing: CIDR or first-last for the addresses of the suite's pods")
  .option(
    "--subnet <cidr>",
    "with --provider existing: the underlay that the pool is in, if not as the nodes' links say",
  )
  .option("--uplink <link>", "with --provider existing: where Interlay is installed, if not the default route's link")
  .option("--image <reference>", "with --provider existing: the probe's image, where the nodes find it")
  .option("--agent-image <reference>", "with --provider existing: Interlay's image, if it is to be installed")
  .option("--no-host-pods", "with --provider existing: no pods in the nodes' network; what needs them is skipped")
  .option("--label <expression>", "only specs whose labels fit, like matrix && !slow")
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
  .option("--json", "print the report as JSON on stdout, all else on stderr")
  .parse();
const flags = program.opts<{
  provider: string;
  kubernetes: string;
  family: string;
  kubeProxy?: string;
  returnPath?: string;
  environment?: string;
  nodes: string;
  name: string;
  kubeconfig?: string;
  context?: string;
  yes?: true;
  datapath?: string;
  network?: string;
  pool?: string;
  subnet?: string;
  uplink?: string;
  image?: string;
  agentImage?: string;
  hostPods: boolean;
  label?: string;
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
  await runOnChange([import.meta.filename, ...again, "--keep"], say);
  say(`the cluster is left as it is: npm run down -- --provider ${flags.provider} --name ${flags.name}`);
  process.exit(0);
}

/** The one variant of an environment, where no other is asked for. */
const ENVIRONMENT_VARIANT = { kubeProxy: DEFAULT_SPEC.kubeProxy.version, returnPath: "notrack" } as const;

const suites = flags.suite.split(",").map((name) => {
  const suite = SUITES.find(([known]) => known === name.trim())?.[1];
  return suite ?? stop(`--suite ${name}: name some of ${SUITES.map(([known]) => known).join(", ")}.`);
});
const provider = await providerNamed(flags.provider).catch((error: unknown) =>
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
  INTERLAY_KUBECONFIG: flags.kubeconfig,
  INTERLAY_CONTEXT: flags.context,
  INTERLAY_POOL: flags.pool,
  INTERLAY_SUBNET: flags.subnet,
  INTERLAY_UPLINK: flags.uplink,
  INTERLAY_NETWORK: flags.network,
  INTERLAY_DATAPATH: flags.datapath,
  INTERLAY_IMAGE: flags.image,
  INTERLAY_AGENT_IMAGE: flags.agentImage,
  INTERLAY_HOST_PODS: flags.hostPods ? undefined : "false",
  INTERLAY_LABEL: flags.label,
  INTERLAY_CELLS: flags.cells,
  INTERLAY_EVIDENCE: flags.evidence,
  INTERLAY_SNAPSHOT: flags.snapshot ? "true" : undefined,
  INTERLAY_KEEP: flags.keep ? "true" : undefined,
}))
  if (value !== undefined) process.env[name] = value;

const existing = provider.name === "existing";
if (existing) {
  const asked = {
    yes: flags.yes === true,
    suite: flags.suite,
    kubeProxy: flags.kubeProxy,
    returnPath: flags.returnPath,
  };
  const end = await lookAtExisting(asked, say).catch((error: unknown) =>
    stop(error instanceof Error ? error.message : String(error)),
  );
  if (end !== undefined) process.exit(end);
}

const progress = createProgress();
const state = { interrupted: false };
const exitCode = await run().catch((error: unknown) => {
  process.stderr.write(`e2e: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
if (state.interrupted) await new Promise(() => undefined); // the signal's handler ends this process
for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, "drain");
process.exit(exitCode);

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
  const runs = await runEnvironments({
    ...{ environments, provider: provider.name, name: flags.name, json: flags.json === true, say },
    argv: withoutOptions(process.argv.slice(2), ["--environment", "--name", "--run-id", "--output"], ["--json"]),
    directory: join(RESULTS, "runs", runId, "environments"),
  });
  const { versions, ...merged } = mergeRuns(runs);
  const report: Report = {
    ...{ schema: RESULTS_SCHEMA, id: runId, started: started.toISOString(), finished: new Date().toISOString() },
    provider: provider.name,
    versions: { interlay: packageJson.version, ...versions },
    ...merged,
  };
  const directory = await writeReport(report);
  if (flags.json) writeToStdout(`${JSON.stringify(report)}\n`);
  const { passed, failed, skipped } = report.summary;
  say(`\n${runs.map(describeRun).join("\n")}`);
  say(`\nresults: ${directory}/report.json, report.html, report.md, junit.xml; each environment's in environments/`);
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, "drain");
  return failed === 0 && passed > 0 && runs.length === environments.length ? 0 : 1;
}

async function run(): Promise<number> {
  const options = runOptions();
  const wanted = await specFor(options);
  const others = flags.suite === "matrix" ? [] : [DEFAULT_SPEC.kubeProxy]; // what the other suites switch to
  const spec = { ...wanted, kubeProxies: [...wanted.kubeProxies, ...others] };
  const findings = existing ? [] : await provider.preflight(spec); // of a cluster that is there they are known
  for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
  if (findings.some(({ severity }) => severity === "error")) return 2;
  const takeDown = async () => {
    if (!options.keep) await provider.down(options.name, progress);
  };
  let up: Promise<Cluster> | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (state.interrupted) process.exit(130);
      state.interrupted = true;
      const what = options.keep
        ? "ending; the cluster is left as it is"
        : "taking the cluster down; once more to leave it as it is";
      process.stderr.write(`\n${signal}: ${what}.\n`);
      // What is being brought up fails for what it needs is gone, or has made something more by then.
      void takeDown()
        .then(() => (options.keep ? undefined : up?.catch(() => undefined)))
        .then(takeDown)
        .finally(() => process.exit(130));
    });
  try {
    up = provider.up(spec, progress);
    const cluster = await up;
    useCluster(cluster);
    if (existing && process.env["INTERLAY_RETURN_PATH"] === undefined)
      process.env["INTERLAY_RETURN_PATH"] = await returnPathThere(cluster);
    return await specs();
  } finally {
    if (!state.interrupted) await takeDown();
  }
}

async function specs(): Promise<number> {
  const [{ finished }, { snapshots, variantResults, versions }] = await Promise.all([
    import("../e2e/harness.ts"),
    import("../e2e/outcome.ts"),
  ]);
  for (const suite of suites) await suite();
  const { checks, failed: failedSpecs } = await finished;
  const cells = variantResults.flatMap((variant) => variant.cells);
  const count = (status: string) => checks.filter((check) => check.status === status).length;
  const failed = cells.filter((cell) => !cell.ok).length + Math.max(count("failed"), failedSpecs);
  const report: Report = {
    schema: RESULTS_SCHEMA,
    id: runId,
    started: started.toISOString(),
    finished: new Date().toISOString(),
    provider: provider.name,
    versions: { interlay: packageJson.version, ...versions },
    variants: variantResults,
    checks: [...checks],
    summary: { passed: cells.filter((cell) => cell.ok).length + count("passed"), failed, skipped: count("skipped") },
  };
  for (const variant of variantResults) say(`\n${variantTable(variant)}`);
  const directory = flags.output ?? (await writeReport(report));
  if (flags.output !== undefined) await writeReportIn(flags.output, report);
  if (snapshots.size === 0 && (failed > 0 || runOptions().snapshot))
    for (const [file, text] of await takeSnapshot(await theCluster(), new Map()))
      snapshots.set(`snapshot/${file}`, text);
  const bundle = snapshots.size > 0 ? await writeBundle(directory, snapshots) : undefined;
  if (flags.json) writeToStdout(`${JSON.stringify(report)}\n`);
  say(
    `\nresults: ${directory}/report.json, report.html, report.md, junit.xml${bundle === undefined ? "" : ", bundle.tar.gz"}`,
  );
  const skipped = report.summary.skipped > 0 ? `, ${report.summary.skipped} skipped` : "";
  say(`${report.summary.passed} passed, ${failed} failed${skipped}`);
  return failed === 0 ? 0 : 1;
}
