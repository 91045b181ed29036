import { readFileSync } from "node:fs";
import { Kube } from "../agent/kube.ts";
import { readLastFacts } from "../agent/facts-file.ts";
import { messageOf } from "../agent/log.ts";
import { observeCluster } from "./observe-cluster.ts";
import { observeNode } from "./observe-node.ts";
import { predict } from "./predict.ts";
import { renderFindings } from "./report.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

export interface DoctorOptions {
  readonly json?: boolean;
  /** Print what was seen, and predict nothing: for whoever looks at all nodes. */
  readonly snapshot?: boolean;
}

/** `interlay doctor`: on a node, of this node. Exit status 1 when a cell is predicted to fail or a pod not to start. */
export async function runDoctor(options: DoctorOptions): Promise<void> {
  const node = await observeNode(nodeName());
  if (options.snapshot === true) {
    process.stdout.write(`${JSON.stringify(node)}\n`);
    return;
  }
  const cluster = await askCluster(node.node);
  const findings = predict({ nodes: [node], cluster });
  process.stdout.write(options.json === true ? `${JSON.stringify({ findings })}\n` : renderFindings(findings, 1));
  if (findings.some(({ severity }) => severity !== "warning")) process.exitCode = 1;
}

/** Of this node alone: the others are asked by `npm run doctor`. */
async function askCluster(node: string): Promise<ClusterSnapshot | undefined> {
  try {
    const cluster = await observeCluster(Kube.connect());
    return { ...cluster, nodes: cluster.nodes.filter(({ name }) => name === node) };
  } catch (error) {
    process.stderr.write(`The API server was not asked (${messageOf(error)}): what only it knows is not checked.\n`);
    return undefined;
  }
}

function nodeName(): string {
  return process.env["NODE_NAME"] ?? readLastFacts()?.node.name ?? readFileSync("/etc/hostname", "utf8").trim();
}
