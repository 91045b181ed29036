import { Command } from "commander";
import { KubeConfig } from "@kubernetes/client-node";
import { DEFAULT_SPEC } from "../clusters/provider.ts";
import { KubeClient } from "../plugin/kubernetes/kube-client.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";
import { observeCluster } from "../plugin/doctor/observe-cluster.ts";
import { predictFailures } from "../plugin/doctor/predict.ts";
import { renderFindings } from "../plugin/doctor/report.ts";
import { readSnapshots, snapshotNodes } from "./doctor/node-snapshots.ts";

/** `npm run doctor`: every node by its agent's pod, the cluster by its API server; prediction here. */
const program = new Command("doctor")
  .description("predict which cells of the matrix fail in a cluster, and why, without sending a packet")
  .option("--kubeconfig <file>", "of the cluster; else KUBECONFIG or the usual place")
  .option(
    "--nodes-from <file>",
    "what `interlay doctor --snapshot` said on each node, as a JSON array: no pod is entered",
  )
  .option("--probe", "then ask every cell, and say where the prediction was wrong; of a cluster by `npm run up`")
  .option("--provider <name>", "with --probe: the cluster's", "kind")
  .option("--name <name>", "with --probe: the cluster's", DEFAULT_SPEC.name)
  .option("--json", "findings as JSON on stdout")
  .addHelpText(
    "after",
    "\nExit status: 0 every cell is predicted to pass, 1 some fail or pods do not start, 2 the cluster could not be asked;\nwith --probe also 3: the probes show something else than was predicted.",
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
    const { probePods: probe } = await import("./doctor/probe-pods.ts");
    process.exit(await probe(flags.provider, flags.name, (line) => process.stdout.write(`${line}\n`)));
  }
  if (flags.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(flags.kubeconfig);
  const [cluster, seen] = await Promise.all([
    observeCluster(new KubeClient(config)),
    flags.nodesFrom === undefined ? snapshotNodes(config) : readSnapshots(flags.nodesFrom),
  ]);
  for (const { node, error } of seen.failed) process.stderr.write(`doctor: ${node}: ${error}\n`);
  const findings = predictFailures({ nodes: seen.nodes, cluster });
  const text = flags.json ? `${JSON.stringify({ findings })}\n` : renderFindings(findings, seen.nodes.length);
  const status = findings.some(({ severity }) => severity !== "warning") ? 1 : 0;
  // Connections to the API server may linger: nobody has to wait for them.
  process.stdout.write(text, () => process.exit(status));
} catch (error) {
  process.stderr.write(`doctor: ${describeApiError(error, config.getCurrentCluster()?.server).message}\n`);
  process.exitCode = 2;
}
