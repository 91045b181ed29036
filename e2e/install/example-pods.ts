import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { findNetns } from "../agent/streams.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { runOnNode } from "../support/agent-process.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples");
/** Image of the examples, which clusters of the suite cannot pull. */
const IMAGE = /image: "nginx:[\d.]+"/g;
/** Names of the pods in examples/three-pods.yaml. */
export const EXAMPLE_PODS = ["overlay", "underlay", "multi-nic"] as const;

/** Applies examples/three-pods.yaml with the image of the suite's pods, and waits until they are ready. */
export async function applyExamplePods(kubectl: Kubectl, { probeImage }: Cluster): Promise<void> {
  const manifest = await readFile(join(EXAMPLES, "three-pods.yaml"), "utf8");
  await kubectl.run(["apply", "-f", "-"], { stdin: manifest.replaceAll(IMAGE, `image: "${probeImage}"`) });
  await kubectl.run(["wait", "--for=condition=Ready", "--timeout=120s", ...EXAMPLE_PODS.map((name) => `pod/${name}`)]);
}

/** Pings each example pod from each other one. @returns the pairs that do not get a reply */
export async function pingExamplePods(cluster: Cluster, { core }: ClusterApi): Promise<readonly string[]> {
  const pods = await Promise.all(
    EXAMPLE_PODS.map(async (name) => {
      const { spec, status } = await core.readNamespacedPod({ namespace: "default", name });
      const [node, address] = [spec?.nodeName, status?.podIP];
      if (node === undefined || address === undefined) throw new Error(`pod ${name} has no node or no address`);
      return { name, node, address, netns: await findNetns(cluster, node, address) };
    }),
  );
  const failed: string[] = [];
  for (const from of pods)
    for (const to of pods.filter((pod) => pod !== from)) {
      const ping = ["nsenter", `--net=${from.netns}`, "ping", "-c", "1", "-W", "3", to.address];
      await runOnNode(cluster, from.node, ping).catch(() => failed.push(`${from.name} -> ${to.name}`));
    }
  return failed;
}
