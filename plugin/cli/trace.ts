import { collectNode } from "../trace/collect/collect-node.ts";
import { findNodeName } from "../state/node-name.ts";

/** Prints the snapshot of this node and its pods for a trace. */
export async function collectTraceState(): Promise<void> {
  const snapshot = await collectNode(findNodeName());
  process.stdout.write(`${JSON.stringify(snapshot)}\n`);
}
