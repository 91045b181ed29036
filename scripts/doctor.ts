import { Command } from "commander";
import { KubeConfig } from "@kubernetes/client-node";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { KubeClient } from "../plugin/kubernetes/kube-client.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";
import { observeCluster } from "../plugin/doctor/observe-cluster.ts";
import { predictFailures } from "../plugin/doctor/predict.ts";
import { renderFindings } from "../plugin/doctor/report.ts";
import { readSnapshots, snapshotNodes } from "./doctor/node-snapshots.ts";

/** `npm run doctor`: reads every node through its agent's pod and the cluster through its API server, and predicts failures. */
const program = new Command("doctor")
  .description("predict which cells of the matrix fail in a cluster and why, without sending packets")
  .option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
  .option(
    "--nodes-from <file>",
    "JSON array of the output of `interlay doctor --snapshot` on each node, instead of running it in pods",
  )
  .option("--probe", "then probe every cell and report wrong predictions; needs a cluster of `npm run up`")
  .option("--provider <name>", "with --probe: provider of the cluster", "kind")
  .option("--name <name>", "with --probe: name of the cluster", DEFAULT_SPEC.name)
  .option("--json", "print the findings as JSON")
  .addHelpText(
    "after",
    "\nExit status: 0 all cells are predicted to pass, 1 some fail or pods do not start, 2 the cluster could not be read;\nwith --probe also 3: a prediction was wrong.",
  )
  .parse();
const flags = program.opts<{
  kubeconfig?: string;
  nodesFrom?: string;
  json?: true;
  probe?: true;
  provider: string;
  name: string;
}>();
const config = new KubeConfig();

try {
  if (flags.probe) {
    const { probePods } = await import("./doctor/probe-pods.ts");
    process.exit(await probePods(flags.provider, flags.name, (line) => process.stdout.write(`${line}\n`)));
  }
  if (flags.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(flags.kubeconfig);
  const [cluster, snapshots] = await Promise.all([
    observeCluster(new KubeClient(config)),
    flags.nodesFrom === undefined ? snapshotNodes(config) : readSnapshots(flags.nodesFrom),
  ]);
  for (const { node, error } of snapshots.failed) process.stderr.write(`doctor: ${node}: ${error}\n`);
  const findings = predictFailures({ nodes: snapshots.nodes, cluster });
  const text = flags.json ? `${JSON.stringify({ findings })}\n` : renderFindings(findings, snapshots.nodes.length);
  const status = findings.some(({ severity }) => severity !== "warning") ? 1 : 0;
  // Exit at once: open connections to the API server would delay it.
  process.stdout.write(text, () => process.exit(status));
} catch (error) {
  process.stderr.write(`doctor: ${describeApiError(error, config.getCurrentCluster()?.server).message}\n`);
  process.exitCode = 2;
}
