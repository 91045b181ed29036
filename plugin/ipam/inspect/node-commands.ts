import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { readLastFacts } from "../../agent/discovery/facts-file.ts";
import { Kube } from "../../agent/kube.ts";
import { addIpamCommands } from "./commands.ts";
import { observeNodeAddresses } from "./observe-node.ts";

/** `interlay ipam …`, on a node: of the nodes, this one alone is looked at. */
export function addNodeIpamCommands(program: Command): void {
  const ipam = program.command("ipam").description("underlay addresses: who holds them, whether all agree, let one go");
  const here = () => observeNodeAddresses(nodeName());
  addIpamCommands(ipam, { kube: () => Kube.connect(), nodes: () => Promise.resolve([here()]) });
  ipam
    .command("snapshot")
    .description("this node's records and links as JSON: for whoever looks at all nodes")
    .action(() => {
      process.stdout.write(`${JSON.stringify(here())}\n`);
    });
}

function nodeName(): string {
  return process.env["NODE_NAME"] ?? readLastFacts()?.node.name ?? readFileSync("/etc/hostname", "utf8").trim();
}
