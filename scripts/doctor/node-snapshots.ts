import { readFile } from "node:fs/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { type NodeSnapshot, nodeSnapshot } from "../../plugin/doctor/node-snapshot.ts";
import { type AgentFailure, runOnAgents } from "../cluster/run-on-agents.ts";

/** Snapshots of the nodes, and the nodes without one. */
export interface NodeSnapshots {
  readonly nodes: readonly NodeSnapshot[];
  readonly failed: readonly AgentFailure[];
}

/** Takes a snapshot of each node by the command `doctor --snapshot` in the agent's pod. */
export async function snapshotNodes(config: KubeConfig): Promise<NodeSnapshots> {
  const { answers, failed } = await runOnAgents(config, ["doctor", "--snapshot"], (text) =>
    nodeSnapshot.parse(JSON.parse(text)),
  );
  return { nodes: answers.toSorted((a, b) => a.node.localeCompare(b.node)), failed };
}

/** Reads saved snapshots from a file with a JSON array. */
export async function readSnapshots(file: string): Promise<NodeSnapshots> {
  return { nodes: z.array(nodeSnapshot).parse(JSON.parse(await readFile(file, "utf8"))), failed: [] };
}
