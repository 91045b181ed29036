import { readFileSync } from "node:fs";
import { z } from "zod";
import { KubeClient } from "../kubernetes/kube-client.ts";
import { getErrorMessage } from "../errors/error-message.ts";
import { observeCluster } from "../doctor/observe-cluster.ts";
import { observeNode } from "../doctor/observe-node.ts";
import { predictFailures } from "../doctor/predict.ts";
import { renderFindings } from "../doctor/render-findings.ts";
import { type ClusterSnapshot, nodeSnapshot, type Snapshot } from "../doctor/node-snapshot.ts";
import { findNodeName } from "../state/node-name.ts";

export interface DoctorOptions {
  readonly json?: boolean;
  /** Print the observed state without a prediction, for a caller that collects all nodes. */
  readonly snapshot?: boolean;
  /** Outputs of `--snapshot` of all nodes, as a JSON array: the prediction is for all of them. */
  readonly nodesFrom?: string;
}

/** Runs `interlay doctor` for this node. Exits with status 1 if a cell is predicted to fail or a pod not to start. */
export async function runDoctor(options: DoctorOptions): Promise<void> {
  if (options.nodesFrom !== undefined) {
    const nodes = z.array(nodeSnapshot).parse(JSON.parse(readFileSync(options.nodesFrom, "utf8")));
    writeOutput({ nodes, cluster: await observeCluster(KubeClient.connect()) }, options);
    return;
  }
  const node = await observeNode(findNodeName());
  if (options.snapshot === true) {
    process.stdout.write(`${JSON.stringify(node)}\n`);
    return;
  }
  const cluster = await collectClusterSnapshots(node.node);
  writeOutput({ nodes: [node], cluster }, options);
}

function writeOutput(snapshot: Snapshot, { json }: DoctorOptions): void {
  const findings = predictFailures(snapshot);
  process.stdout.write(
    json === true ? `${JSON.stringify({ findings })}\n` : renderFindings(findings, snapshot.nodes.length),
  );
  if (findings.some(({ severity }) => severity !== "warning")) process.exitCode = 1;
}

/** Reads the cluster's objects for this node only; `npm run doctor` collects all nodes. */
async function collectClusterSnapshots(node: string): Promise<ClusterSnapshot | undefined> {
  try {
    const cluster = await observeCluster(KubeClient.connect());
    return { ...cluster, nodes: cluster.nodes.filter(({ name }) => name === node) };
  } catch (error) {
    process.stderr.write(
      `The API server cannot be read (${getErrorMessage(error)}): checks that need it are skipped.\n`,
    );
    return undefined;
  }
}
