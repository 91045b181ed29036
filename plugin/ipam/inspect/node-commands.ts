import type { Command } from "commander";
import { findNodeName } from "../../state/node-name.ts";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { addIpamCommands } from "./ipam-commands.ts";
import { observeNodeAddresses } from "./observe-node-addresses.ts";

/** Adds `interlay ipam …` for a node, which inspects only this node. */
export function addNodeIpamCommands(program: Command): void {
  const ipam = program.command("ipam").description("list, check and release underlay addresses");
  const here = () => observeNodeAddresses(findNodeName());
  addIpamCommands(ipam, { kube: () => KubeClient.connect(), nodes: () => Promise.resolve([here()]) });
  ipam
    .command("snapshot")
    .description("print this node's records and links as JSON")
    .action(() => {
      process.stdout.write(`${JSON.stringify(here())}\n`);
    });
}
