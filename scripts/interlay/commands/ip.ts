import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { z } from "zod";
import { addIpamCommands } from "../../../plugin/ipam/inspect/ipam-commands.ts";
import { type NodeHistory, nodeHistory } from "../../../plugin/ipam/inspect/address-history.ts";
import { type NodeAddressSnapshot, nodeAddresses } from "../../../plugin/ipam/inspect/node-addresses-snapshot.ts";
import { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { runOnAgents } from "../../cluster/run-on-agents.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  addInheritedOptions,
  type OutputFormat,
} from "../program/common-options.ts";
import { type ClusterFlags, loadCluster } from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";

interface IpFlags extends ClusterFlags {
  readonly nodesFrom?: string;
}

/** `interlay ip list | check | release | history`: reads every node through its agent's pod, and the cluster through its API server. */
export function createIpCommand(): Command {
  const group = addInheritedOptions(new Command("ip"))
    .description("list, check and release the underlay addresses of a cluster, and list who had them")
    .addOption(createNodesOption().hideHelp());
  let kube: KubeClient | undefined;
  let flags: IpFlags = {};
  addIpamCommands(group, {
    kube: () => {
      if (kube === undefined) throw new Error("no command has begun");
      return kube;
    },
    nodes: () => readNodes(flags),
    histories: () => readHistories(flags),
    print: ({ json, output }, value, renderText) => {
      printOutput(json ? "json" : ((output ?? "table") as OutputFormat), value, renderText);
    },
  });
  for (const command of group.commands) {
    if (command.name() === "check") command.addOption(createNodesOption());
    addGlobalOptions(addClusterOptions(command), ["output"]);
  }
  return group.hook("preAction", async (_, command) => {
    flags = { ...group.opts<IpFlags>(), ...command.opts<IpFlags>() };
    kube = new KubeClient(await loadCluster(flags));
  });
}

function createNodesOption(): Option {
  return new Option(
    "--nodes-from <file>",
    "JSON array of the output of `interlay ipam snapshot` on each node, instead of running it in pods",
  );
}

async function readHistories(flags: IpFlags): Promise<readonly NodeHistory[]> {
  const { answers, failed } = await runOnAgents(await loadCluster(flags), ["ipam", "calls"], (text) =>
    nodeHistory.parse(JSON.parse(text)),
  );
  for (const { node, error } of failed) process.stderr.write(`ip: ${node}: ${error}\n`);
  if (failed.length > 0) process.exitCode = 1; // an address may have had users there
  return answers;
}

async function readNodes(flags: IpFlags): Promise<readonly NodeAddressSnapshot[]> {
  if (flags.nodesFrom !== undefined)
    return z.array(nodeAddresses).parse(JSON.parse(await readFile(flags.nodesFrom, "utf8")));
  const { answers, failed } = await runOnAgents(await loadCluster(flags), ["ipam", "snapshot"], (text) =>
    nodeAddresses.parse(JSON.parse(text)),
  );
  for (const { node, error } of failed) process.stderr.write(`ip: ${node}: ${error}\n`);
  return answers;
}
