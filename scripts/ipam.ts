import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { KubeClient } from "../plugin/kubernetes/kube-client.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";
import { addIpamCommands } from "../plugin/ipam/inspect/commands.ts";
import { type NodeAddressSnapshot, nodeAddresses } from "../plugin/ipam/inspect/snapshot.ts";
import { runOnAgents } from "./cluster/run-on-agents.ts";

/** `npm run ipam -- show | check | release`: every node by its agent's pod, the cluster by its API server. */
const program = new Command("ipam")
  .description("underlay addresses of a cluster: who holds them, whether all agree, let one go")
  .option("--kubeconfig <file>", "of the cluster; else KUBECONFIG or the usual place")
  .option("--nodes-from <file>", "what `interlay ipam snapshot` said on each node, as a JSON array: no pod is entered")
  .addHelpText(
    "after",
    "\nshow: --pool, --node, --pod, --json; check: --repair, --yes, --json; release ADDRESS...: --yes, --force",
  );

const made = new KubeConfig();

function config(): KubeConfig {
  const { kubeconfig } = program.opts<{ kubeconfig?: string }>();
  if (kubeconfig === undefined) made.loadFromDefault();
  else made.loadFromFile(kubeconfig);
  return made;
}

async function nodes(): Promise<readonly NodeAddressSnapshot[]> {
  const { nodesFrom } = program.opts<{ nodesFrom?: string }>();
  if (nodesFrom !== undefined) return z.array(nodeAddresses).parse(JSON.parse(await readFile(nodesFrom, "utf8")));
  const { answers, failed } = await runOnAgents(config(), ["ipam", "snapshot"], (text) =>
    nodeAddresses.parse(JSON.parse(text)),
  );
  for (const { node, error } of failed) process.stderr.write(`ipam: ${node}: ${error}\n`);
  return answers;
}

addIpamCommands(program, { kube: () => new KubeClient(config()), nodes });
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`ipam: ${describeApiError(error, made.getCurrentCluster()?.server).message}\n`);
  process.exitCode = 2;
}
// Connections to the API server may linger: nobody has to wait for them.
process.stdout.write("", () => process.exit());
