import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { createProgress } from "../clusters/progress/create-progress.ts";
import type { Provider } from "../clusters/provider/provider.ts";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { loadProvider } from "../clusters/providers.ts";
import { buildClusterSpec } from "../e2e/support/build-cluster-spec.ts";
import { parseReturnPath, parseRunOptions } from "../e2e/support/run-options.ts";
import { formatPeerTable } from "../e2e/peers/format-table.ts";
import { cyclonus } from "../e2e/peers/cyclonus.ts";
import { runPeers } from "../e2e/peers/run-peers.ts";
import { sigNetwork } from "../e2e/peers/sig-network.ts";
import { listEmptyRuns, type PeerRun, toChecks } from "../e2e/peers/spec-result.ts";
import type { PeerSuite } from "../e2e/peers/suite.ts";
import { POD_TYPES, type PodType, type Report } from "../results/schema.ts";
import { RESULTS, writeReport } from "../results/files/write.ts";
import packageJson from "../package.json" with { type: "json" };
import { composeReport, type Failure } from "../e2e/support/compose-report.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

const SUITES: readonly PeerSuite[] = [sigNetwork, cyclonus];

/** `npm run peers`: suites of other projects on a kind cluster, once with every pod of each type. */
const program = new Command("peers")
  .description("run suites of other projects with every pod as overlay, underlay and multi-NIC pod")
  .argument("[suite]", `${SUITES.map(({ name }) => name).join(" or ")} (default: ${sigNetwork.name})`, parseSuite)
  .option("--kubernetes <version>", "version of the cluster and of the specs", DEFAULT_SPEC.kubernetes)
  .option("--return-path <mode>", "notrack, liberal, snat or none", parseReturnPath, "notrack")
  .option(
    "--pods <list>",
    `types of pod, of ${POD_TYPES.join(", ")} (default: all that the suite can test)`,
    parsePodTypes,
  )
  .option("--focus <regexp>", "only specs whose full name fits (default: conformance)")
  .option("--no-skip-known", "also run specs that are known to fail, to see whether they still do")
  .option("--processes <n>", "specs that run at the same time", parseCount, 8)
  .option("--nodes <n>", "worker nodes", parseCount, DEFAULT_SPEC.workers)
  .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
  .option("--run-id <id>", "name of the run's directory in results/runs")
  .option("--keep", "leave the cluster as it is: the next run reuses it")
  .option("--prepare", "only build programs and images, create no cluster")
  .parse();
const flags = program.opts<{
  kubernetes: string;
  returnPath: ReturnType<typeof parseReturnPath>;
  pods?: readonly PodType[];
  focus?: string;
  skipKnown: boolean;
  processes: number;
  nodes: number;
  name: string;
  runId?: string;
  keep?: true;
  prepare?: true;
}>();

const [suite = sigNetwork] = program.processedArgs as [PeerSuite?];
const podTypes = flags.pods ?? suite.podTypes;
const progress = createProgress();
const started = new Date().toISOString();
const id = flags.runId ?? started.replaceAll(/[:.]/g, "-");
const runs: PeerRun[] = [];
const failures: Failure[] = [];
const versions: Record<string, string> = { interlay: packageJson.version };
const interrupt = new AbortController();
/** Time of the first signal, in milliseconds of the process. */
let interrupted = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
process.exit(await main());

async function main(): Promise<number> {
  const provider = await loadProvider("kind");
  const { keep = false, name } = flags;
  const state: { stage: Failure["stage"] } = { stage: "preflight" };
  await runSuite(provider, state).catch((error: unknown) => {
    process.stderr.write(`peers: ${getErrorMessage(error)}\n`);
    failures.push({ stage: interrupt.signal.aborted ? "interrupt" : state.stage, error: getErrorMessage(error) });
  });
  if (flags.prepare) return failures.length === 0 ? 0 : 1;
  if (failures.length === 0)
    for (const podType of listEmptyRuns(runs, podTypes))
      failures.push({ stage: "specs", error: `no spec ran with every pod of type ${podType}` });
  if (!keep && state.stage !== "preflight")
    await provider.down(name, progress).catch((error: unknown) => {
      failures.push({ stage: "take-down", error: getErrorMessage(error) });
    });
  const report = composeRuns(failures);
  const { passed, failed, skipped } = report.summary;
  process.stdout.write(`${formatPeerTable(runs)}\nresults: ${await writeReport(report)}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  if (interrupt.signal.aborted) return 130;
  return failed === 0 ? 0 : 1;
}

/** Creates the cluster and runs the suite. @param state stage that has begun */
async function runSuite(provider: Provider, state: { stage: Failure["stage"] }): Promise<void> {
  const { keep = false, name, kubernetes, returnPath, processes, focus = suite.focus } = flags;
  const variants = [{ kubeProxy: { version: kubernetes, mode: "iptables" as const }, returnPath }];
  const options = { ...parseRunOptions(process.env), variants, workers: flags.nodes, name, kubernetes };
  const spec = await buildClusterSpec(options);
  const findings = await provider.preflight(spec);
  for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  const prepared = await suite.prepare(kubernetes, progress);
  if (flags.prepare) return;
  interrupt.signal.throwIfAborted();
  state.stage = "bring-up";
  const cluster = await provider.up(spec, progress);
  Object.assign(versions, cluster.versions, { returnPath });
  state.stage = "specs";
  await runPeers(
    cluster,
    {
      name: suite.name,
      suite: prepared,
      returnPath,
      podTypes,
      focus,
      skipKnown: flags.skipKnown,
      processes,
      directory: join(RESULTS, "runs", id, "peers"),
      restore: keep,
      signal: interrupt.signal,
      onRun: async (run) => {
        runs.push(run);
        await writeReport(composeRuns([{ stage: "end", error: "the run did not end" }]));
      },
    },
    progress,
  );
}

/** The first signal ends the run with its results; npm and the terminal repeat it, and a later one ends this process. */
function onSignal(signal: string): void {
  if (interrupt.signal.aborted) {
    if (performance.now() - interrupted > 1000) process.exit(130);
    return;
  }
  interrupted = performance.now();
  process.stderr.write(`\n${signal}: ending the run; once more to end at once and leave the cluster.\n`);
  interrupt.abort(new Error(`${signal}: the run was interrupted`));
}

function composeRuns(failed: readonly Failure[]): Report {
  const run = { id, started, finished: new Date().toISOString(), provider: "kind" as const };
  return composeReport(run, { variants: [], checks: runs.flatMap(toChecks), versions }, failed);
}

function parseSuite(text: string): PeerSuite {
  const found = SUITES.find(({ name }) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`use ${SUITES.map(({ name }) => name).join(" or ")}.`);
  return found;
}

function parsePodTypes(list: string): readonly PodType[] {
  return list.split(",").map((text) => {
    const type = POD_TYPES.find((one) => one === text.trim());
    if (type === undefined) throw new InvalidArgumentError(`use some of ${POD_TYPES.join(", ")}.`);
    return type;
  });
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("a whole number from 1 is needed.");
  return Number(text);
}
