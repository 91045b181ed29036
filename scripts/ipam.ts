import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { KubeClient } from "../plugin/kubernetes/kube-client.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";
import { addIpamCommands } from "../plugin/ipam/inspect/commands.ts";
import { type NodeAddressSnapshot, nodeAddresses } from "../plugin/ipam/inspect/snapshot.ts";
import { runOnAgents } from "./cluster/run-on-agents.ts";

/** `npm run ipam -- show | check | release`: reads every node through its agent's pod, and the cluster through its API server. */
const program = new Command("ipam")
  .description("show, check and release the underlay addresses of a cluster")
  .option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
  .option(
    "--nodes-from <file>",
    "JSON array of the output of `interlay ipam snapshot` on each node, instead of running it in pods",
  )
  .addHelpText(
    "after",
    "\nshow: --pool, --node, --pod, --json; check: --repair, --yes, --json; release ADDRESS...: --yes, --force",
  );

const kubeConfig = new KubeConfig();

function loadConfig(): KubeConfig {
  const { kubeconfig } = program.opts<{ kubeconfig?: string }>();
  if (kubeconfig === undefined) kubeConfig.loadFromDefault();
  else kubeConfig.loadFromFile(kubeconfig);
  return kubeConfig;
}

async function readNodes(): Promise<readonly NodeAddressSnapshot[]> {
  const { nodesFrom } = program.opts<{ nodesFrom?: string }>();
  if (nodesFrom !== undefined) return z.array(nodeAddresses).parse(JSON.parse(await readFile(nodesFrom, "utf8")));
  const { answers, failed } = await runOnAgents(loadConfig(), ["ipam", "snapshot"], (text) =>
    nodeAddresses.parse(JSON.parse(text)),
  );
  for (const { node, error } of failed) process.stderr.write(`ipam: ${node}: ${error}\n`);
  return answers;
}

addIpamCommands(program, { kube: () => new KubeClient(loadConfig()), nodes: readNodes });
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`ipam: ${describeApiError(error, kubeConfig.getCurrentCluster()?.server).message}\n`);
  process.exitCode = 2;
}
// Exit at once: open connections to the API server would delay it.
process.stdout.write("", () => process.exit());
