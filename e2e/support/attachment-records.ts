import type { Cluster, ExecResult } from "../../clusters/provider/provider.ts";
import { runOnNode } from "./agent-process.ts";
import { INSTALLED_EXECUTABLE, RECORDS } from "./installed-paths.ts";

/** Reads the attachment records of a node as parsed JSON. Records that are deleted in the meantime are left out. */
export async function readAttachmentRecords(cluster: Cluster, node: string): Promise<readonly unknown[]> {
  const names = (await runOnNode(cluster, node, ["ls", RECORDS])).split("\n").filter((name) => name.endsWith(".json"));
  const results = await Promise.all(names.map((name) => cluster.exec(node, ["cat", `${RECORDS}/${name}`])));
  return results.filter(({ exitCode }) => exitCode === 0).map(({ stdout }): unknown => JSON.parse(stdout));
}

/** Runs `interlay explain` for a pod on its node: items that the kernel does not have are marked MISSING. */
export function explainPod(
  cluster: Cluster,
  node: string,
  pod: { readonly namespace: string; readonly name: string },
): Promise<ExecResult> {
  return cluster.exec(node, [INSTALLED_EXECUTABLE, "explain", "--pod", `${pod.namespace}/${pod.name}`]);
}
