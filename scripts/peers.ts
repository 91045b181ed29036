import { Command, InvalidArgumentError } from "commander";
import { createProgress } from "../clusters/progress/create-progress.ts";
import { loadProvider } from "../clusters/providers.ts";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { cyclonus } from "../e2e/peers/cyclonus.ts";
import { formatPeerTable } from "../e2e/peers/format-table.ts";
import { sigNetwork } from "../e2e/peers/sig-network.ts";
import type { PeerSuite } from "../e2e/peers/suite.ts";
import { buildClusterSpec } from "../e2e/support/build-cluster-spec.ts";
import { parseReturnPath, parseRunOptions } from "../e2e/support/run-options.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";
import { writeReport } from "../results/files/write.ts";
import { POD_TYPES, type PodType } from "../results/schema.ts";
import { handleInterrupts } from "./e2e/handle-interrupts.ts";
import { PeersRun } from "./peers/peers-run.ts";

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
const progress = createProgress();
process.exit(flags.prepare ? await prepare() : await main());

/** Builds programs and images. @returns the exit status */
async function prepare(): Promise<number> {
  return suite.prepare(flags.kubernetes, progress).then(
    () => 0,
    (error: unknown) => {
      process.stderr.write(`peers: ${getErrorMessage(error)}\n`);
      return 1;
    },
  );
}

/** Runs the suite. @returns the exit status */
async function main(): Promise<number> {
  const { name, kubernetes, returnPath, skipKnown, processes, keep = false } = flags;
  const variants = [{ kubeProxy: { version: kubernetes, mode: "iptables" as const }, returnPath }];
  const run = new PeersRun({
    id: flags.runId ?? new Date().toISOString().replaceAll(/[:.]/g, "-"),
    provider: await loadProvider("kind"),
    suite,
    name,
    buildSpec: () =>
      buildClusterSpec({ ...parseRunOptions(process.env), variants, workers: flags.nodes, name, kubernetes }),
    returnPath,
    podTypes: flags.pods ?? suite.podTypes,
    focus: flags.focus ?? suite.focus,
    skipKnown,
    processes,
    keep,
    progress,
    print: (text) => process.stderr.write(`${text}\n`),
    write: writeReport,
  });
  handleInterrupts((signal) => {
    process.stderr.write(`\n${signal}: ending the run; once more to end at once and leave the cluster.\n`);
    run.interrupt(signal);
  });
  const report = await run.run();
  const { passed, failed, skipped } = report.summary;
  process.stdout.write(`${formatPeerTable(run.runs)}\nresults: ${await writeReport(report)}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  if (run.interrupted) return 130;
  return failed === 0 ? 0 : 1;
}

function parseSuite(text: string): PeerSuite {
  const peerSuite = SUITES.find(({ name }) => name === text);
  if (peerSuite === undefined) throw new InvalidArgumentError(`use ${SUITES.map(({ name }) => name).join(" or ")}.`);
  return peerSuite;
}

function parsePodTypes(list: string): readonly PodType[] {
  return list.split(",").map((text) => {
    const type = POD_TYPES.find((candidate) => candidate === text.trim());
    if (type === undefined) throw new InvalidArgumentError(`use some of ${POD_TYPES.join(", ")}.`);
    return type;
  });
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("a whole number from 1 is needed.");
  return Number(text);
}
