import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { PodType } from "../../results/schema.ts";
import { setDefaultPodType } from "./multus-config.ts";
import { detectPodType } from "./pod-type.ts";

const CONFIG_MAP = "multus-cni-config";
const CONFIG_FILE = "00-multus.conf";
const ROLLOUT_SECONDS = 120;
const FILE_TIMEOUT_MS = 60_000;
/** Namespace of the pods that show which type new pods are of. */
const NAMESPACE = "interlay-peers";
/** The container runtime reads Multus' configuration again some time after it changed. */
const ATTEMPTS = 5;

const configMap = z.object({ data: z.record(z.string(), z.string()) });
const podList = z.object({ items: z.array(z.unknown()) });

/** Reads Multus' configuration, which makes new pods overlay pods in a cluster that has just been brought up. */
export async function readMultusConfig(kubectl: Kubectl): Promise<string> {
  const map = await kubectl.run(["-n", "kube-system", "get", "configmap", CONFIG_MAP, "-o", "json"]);
  const text = configMap.parse(JSON.parse(map)).data[CONFIG_FILE];
  if (text === undefined) throw new Error(`ConfigMap kube-system/${CONFIG_MAP} has no ${CONFIG_FILE}`);
  return text;
}

/**
 * Makes each new pod without annotations a pod of that type, on every node.
 * @param original Multus' configuration in which pods are overlay pods
 * @throws if pods are of another type afterwards
 */
export async function switchPodType(
  cluster: Cluster,
  kubectl: Kubectl,
  original: string,
  podType: PodType,
): Promise<void> {
  const config = setDefaultPodType(original, podType);
  const patch = JSON.stringify({ data: { [CONFIG_FILE]: config } });
  await kubectl.run(["-n", "kube-system", "patch", "configmap", CONFIG_MAP, "-p", patch]);
  await kubectl.run(["-n", "kube-system", "rollout", "restart", "daemonset/multus"]);
  await kubectl.waitForRollout("daemonset/multus", "kube-system", ROLLOUT_SECONDS);
  await Promise.all(cluster.nodes.map(({ name }) => waitForConfig(cluster, name, config)));
  for (let attempt = 1; ; attempt++) {
    const types = await createPods(cluster, kubectl);
    if (types.every((type) => type === podType)) return;
    if (attempt === ATTEMPTS)
      throw new Error(
        `new pods are not ${podType} pods but ${types.map((type) => type ?? "of no known type").join(", ")}: see Multus' configuration on the nodes`,
      );
  }
}

async function waitForConfig(cluster: Cluster, node: string, config: string): Promise<void> {
  const deadline = Date.now() + FILE_TIMEOUT_MS;
  while ((await cluster.exec(node, ["cat", `/etc/cni/net.d/${CONFIG_FILE}`])).stdout.trim() !== config.trim()) {
    if (Date.now() > deadline)
      throw new Error(`Multus' configuration on ${node} is not the new one after ${FILE_TIMEOUT_MS / 1000} s`);
    await sleep(500);
  }
}

/** Creates a pod on every worker, and deletes them. @returns their types */
async function createPods(cluster: Cluster, kubectl: Kubectl): Promise<readonly (PodType | undefined)[]> {
  const metadata = { namespace: NAMESPACE };
  const pods = cluster.nodes
    .filter(({ role }) => role === "worker")
    .map(({ name }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: `on-${name}` },
      spec: {
        nodeName: name,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "probe", image: cluster.probeImage, imagePullPolicy: "IfNotPresent" }],
      },
    }));
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }));
  try {
    await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items: pods }));
    await kubectl.run(["-n", NAMESPACE, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=90s"]);
    const list = await kubectl.run(["-n", NAMESPACE, "get", "pods", "-o", "json"]);
    return podList.parse(JSON.parse(list)).items.map((pod) => detectPodType(pod, cluster.spec));
  } finally {
    await kubectl.run(["delete", "namespace", NAMESPACE, "--timeout=90s"]);
  }
}
