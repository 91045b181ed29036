import { readFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { CoreV1Api, Exec, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { type NodeSnapshot, nodeSnapshot } from "../plugin/doctor/snapshot.ts";

const NAMESPACE = "interlay-system";
/** Where the DaemonSet mounts the executable that it has installed. */
const DOCTOR = ["/host/opt/cni/bin/interlay", "doctor", "--snapshot"];

export interface Seen {
  readonly nodes: readonly NodeSnapshot[];
  readonly failed: readonly { readonly node: string; readonly error: string }[];
}

/** What each node says of itself, by a program run in its agent's pod. */
export async function snapshotNodes(config: KubeConfig): Promise<Seen> {
  const { items } = await config
    .makeApiClient(CoreV1Api)
    .listNamespacedPod({ namespace: NAMESPACE, labelSelector: "app=interlay" });
  const nodes: NodeSnapshot[] = [];
  const failed: { node: string; error: string }[] = [];
  await Promise.all(
    items.map(async ({ metadata, spec }) => {
      try {
        nodes.push(nodeSnapshot.parse(JSON.parse(await run(config, metadata?.name ?? ""))));
      } catch (error) {
        failed.push({ node: spec?.nodeName ?? "", error: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  return { nodes: nodes.sort((a, b) => a.node.localeCompare(b.node)), failed };
}

/** What was taken on the nodes beforehand. */
export async function readSnapshots(file: string): Promise<Seen> {
  return { nodes: z.array(nodeSnapshot).parse(JSON.parse(await readFile(file, "utf8"))), failed: [] };
}

async function run(config: KubeConfig, pod: string): Promise<string> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const said = { stdout: "", stderr: "" };
  stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
  stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    new Exec(config)
      .exec(NAMESPACE, pod, "agent", DOCTOR, stdout, stderr, null, false, ({ status, message }) => {
        if (status === "Success") resolve(said.stdout);
        else reject(new Error(said.stderr.trim() || (message ?? "the agent's pod could not be asked")));
      })
      .catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
  });
}
