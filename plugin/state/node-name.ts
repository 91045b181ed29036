import { readFileSync } from "node:fs";
import { readLastFacts } from "./facts-file.ts";

/** Returns the name of this node: from the DaemonSet's environment, the facts, or the host name. */
export function findNodeName(): string {
  return process.env["NODE_NAME"] ?? readLastFacts()?.node.name ?? readFileSync("/etc/hostname", "utf8").trim();
}
