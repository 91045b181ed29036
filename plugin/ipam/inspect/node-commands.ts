import type { Command } from "commander";
import { findNodeName } from "../../state/node-name.ts";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { readNodeHistory } from "./address-history.ts";
import { addIpamCommands } from "./ipam-commands.ts";
import { observeNodeAddresses } from "./observe-node-addresses.ts";

/** Adds `interlay ipam …` for a node, which inspects only this node. */
export function addNodeIpamCommands(program: Command): void {
  const ipam = program.command("ipam").description("list, check and release underlay addresses");
  const observeNode = () => observeNodeAddresses(findNodeName());
  addIpamCommands(ipam, {
    kube: () => KubeClient.connect(),
    nodes: () => Promise.resolve([observeNode()]),
    histories: () => Promise.resolve([readNodeHistory(findNodeName())]),
  });
  ipam
    .command("calls")
    .description("print this node's calls of the IPAM plugin as JSON")
    .action(() => {
      process.stdout.write(`${JSON.stringify(readNodeHistory(findNodeName()))}\n`);
    });
  ipam
    .command("snapshot")
    .description("print this node's records and links as JSON")
    .action(() => {
      process.stdout.write(`${JSON.stringify(observeNode())}\n`);
    });
}
