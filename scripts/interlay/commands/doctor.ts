import { Command, Option } from "commander";
import { DEFAULT_SPEC } from "../../../clusters/spec/cluster-spec.ts";
import { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { observeCluster } from "../../../plugin/doctor/observe-cluster.ts";
import { predictFailures } from "../../../plugin/doctor/predict.ts";
import { renderFindings } from "../../../plugin/doctor/render-findings.ts";
import { readSnapshots, snapshotNodes } from "../../doctor/node-snapshots.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  loadCluster,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";

interface DoctorFlags extends ClusterFlags {
  readonly nodesFrom?: string;
  readonly output: OutputFormat;
  readonly json?: true;
  readonly probe?: true;
  readonly provider: string;
  readonly name: string;
}

/** `interlay doctor`: reads every node through its agent's pod and the cluster through its API server, and predicts failures. */
export function createDoctorCommand(): Command {
  const command = new Command("doctor")
    .description("predict which cells of the matrix fail in a cluster and why, without sending packets")
    .option(
      "--nodes-from <file>",
      "JSON array of the output of `interlay doctor --snapshot` on each node, instead of running it in pods",
    )
    .option("--probe", "then probe every cell and report wrong predictions; needs a cluster of `interlay cluster up`")
    .addOption(
      new Option("--provider <name>", "with --probe: provider of the cluster").choices(["kind", "lab"]).default("kind"),
    )
    .option("--name <name>", "with --probe: name of the cluster", DEFAULT_SPEC.name)
    .addOption(new Option("--json", "like --output json").hideHelp())
    .addHelpText(
      "after",
      `
Exit status: 0 all cells are predicted to pass, 1 some fail or pods do not start, 2 the cluster could not be read;
with --probe also 3: a prediction was wrong.

Example:
  interlay doctor --context production -o json`,
    );
  return addGlobalOptions(addClusterOptions(command), ["output"]).action(runDoctor);
}

async function runDoctor(flags: DoctorFlags, command: Command): Promise<void> {
  if (flags.probe !== true && ["provider", "name"].some((name) => command.getOptionValueSource(name) === "cli"))
    command.error("error: --provider and --name need --probe; without it, --kubeconfig names the cluster");
  if (flags.probe) {
    const { probePods } = await import("../../doctor/probe-pods.ts");
    process.exitCode = await probePods(flags.provider, flags.name, (line) => process.stdout.write(`${line}\n`));
    return;
  }
  const config = await loadCluster(flags);
  const [cluster, snapshots] = await Promise.all([
    observeCluster(new KubeClient(config)),
    flags.nodesFrom === undefined ? snapshotNodes(config) : readSnapshots(flags.nodesFrom),
  ]);
  for (const { node, error } of snapshots.failed) process.stderr.write(`doctor: ${node}: ${error}\n`);
  const findings = predictFailures({ nodes: snapshots.nodes, cluster });
  printOutput(flags.json ? "json" : flags.output, { findings }, () => renderFindings(findings, snapshots.nodes.length));
  if (findings.some(({ severity }) => severity !== "warning")) process.exitCode = 1;
}
