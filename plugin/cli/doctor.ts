import { readFileSync } from "node:fs";
import { z } from "zod";
import { Kube } from "../kubernetes/kube-client.ts";
import { readLastFacts } from "../agent/discovery/facts-file.ts";
import { messageOf } from "../agent/status/log.ts";
import { observeCluster } from "../doctor/observe-cluster.ts";
import { observeNode } from "../doctor/observe-node.ts";
import { predict } from "../doctor/predict.ts";
import { renderFindings } from "../doctor/report.ts";
import { type ClusterSnapshot, nodeSnapshot, type Snapshot } from "../doctor/snapshot.ts";

export interface DoctorOptions {
  readonly json?: boolean;
  /** Print what was seen, and predict nothing: for whoever looks at all nodes. */
  readonly snapshot?: boolean;
  /** What `--snapshot` has printed on each node, as a JSON array: the prediction is for all of them. */
  readonly nodesFrom?: string;
}

/** `interlay doctor`: on a node, of this node. Exit status 1 when a cell is predicted to fail or a pod not to start. */
export async function runDoctor(options: DoctorOptions): Promise<void> {
  if (options.nodesFrom !== undefined) {
    const nodes = z.array(nodeSnapshot).parse(JSON.parse(readFileSync(options.nodesFrom, "utf8")));
    tell({ nodes, cluster: await observeCluster(Kube.connect()) }, options);
    return;
  }
  const node = await observeNode(nodeName());
  if (options.snapshot === true) {
    process.stdout.write(`${JSON.stringify(node)}\n`);
    return;
  }
  const cluster = await askCluster(node.node);
  tell({ nodes: [node], cluster }, options);
}

function tell(snapshot: Snapshot, { json }: DoctorOptions): void {
  const findings = predict(snapshot);
  process.stdout.write(
    json === true ? `${JSON.stringify({ findings })}\n` : renderFindings(findings, snapshot.nodes.length),
  );
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
