import { readFile } from "node:fs/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { type NodeSnapshot, nodeSnapshot } from "../../plugin/doctor/snapshot.ts";
import { type AgentFailure, runOnAgents } from "../cluster/run-on-agents.ts";

export interface NodeSnapshots {
  readonly nodes: readonly NodeSnapshot[];
  readonly failed: readonly AgentFailure[];
}

/** What each node says of itself, by a program run in its agent's pod. */
export async function snapshotNodes(config: KubeConfig): Promise<NodeSnapshots> {
  const { answers, failed } = await runOnAgents(config, ["doctor", "--snapshot"], (text) =>
    nodeSnapshot.parse(JSON.parse(text)),
  );
  return { nodes: answers.toSorted((a, b) => a.node.localeCompare(b.node)), failed };
}

/** What was taken on the nodes beforehand. */
export async function readSnapshots(file: string): Promise<NodeSnapshots> {
  return { nodes: z.array(nodeSnapshot).parse(JSON.parse(await readFile(file, "utf8"))), failed: [] };
}
