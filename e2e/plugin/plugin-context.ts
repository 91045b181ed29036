import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { runOnNode } from "../support/agent-process.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { type Manifest, buildPod } from "../pods/suite-pods.ts";
import { createNetworkLabels } from "./networks.ts";

/** Namespace of this suite's pods; the matrix's pods are the clients. */
export const PLUGIN_NAMESPACE = "interlay-plugin";
/** Default network of underlay links. */
export const UNDERLAY = "interlay-system/underlay";
/** Annotations of Multus: the pod's default network, and secondary ones. */
export const DEFAULT_NETWORK_ANNOTATION = "v1.multus-cni.io/default-network";
export const NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks";

const READY_MS = 120_000;

export interface PluginContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** The pods of the three types, with a prober in each. */
  readonly deployment: Deployment;
  readonly workers: readonly string[];
  /** The first family is the cluster's primary one. */
  readonly families: readonly IpFamily[];
}

/** A pod of the suite. */
export interface PluginPod {
  readonly name: string;
  /** Index of the worker. */
  readonly node: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Runs a program on a worker. @throws an error with its stderr if it fails */
export const execOnNode = ({ cluster }: PluginContext, node: number, ...argv: readonly string[]): Promise<string> =>
  runOnNode(cluster, getWorkerName(cluster, node), argv);

/** Returns the name of a worker, by its index. */
export function getWorkerName(cluster: Cluster, index: number): string {
  return cluster.nodes.filter(({ role }) => role === "worker")[index]?.name ?? "";
}

export async function createPluginPod({ api, cluster }: PluginContext, testPod: PluginPod): Promise<void> {
  const labels = { ...createNetworkLabels(testPod.annotations), ...testPod.labels };
  const manifest = buildPod(
    testPod.name,
    getWorkerName(cluster, testPod.node),
    cluster.probeImage,
    testPod.annotations,
    labels,
  );
  const podManifest: Manifest = { ...manifest, metadata: { ...manifest.metadata, namespace: PLUGIN_NAMESPACE } };
  await ensureObject(api, podManifest);
}

/** Waits until a pod is ready. @throws an error with the pod's Events and messages */
export async function waitForPluginPod({ api }: PluginContext, name: string, interval = 200): Promise<V1Pod> {
  try {
    return await Eventually(
      `pod ${name} is ready`,
      () => retryOnServerError(() => api.core.readNamespacedPod({ namespace: PLUGIN_NAMESPACE, name })),
      ({ status }) => reportsReady(status),
      { timeout: READY_MS, interval },
    );
  } catch (error) {
    const messages = (await listEvents(api, name)).map(({ message }) => message).join("; ");
    throw new Error(`pod ${name} is not ready: ${messages === "" ? "no event has a reason" : messages}`, {
      cause: error,
    });
  }
}

/** Reason and message of an Event. */
interface EventText {
  readonly reason: string;
  readonly message: string;
}

/** Lists the reasons and messages of the pod's Events. */
async function listEvents(api: ClusterApi, name: string): Promise<readonly EventText[]> {
  const { items } = await retryOnServerError(() =>
    api.core.listNamespacedEvent({ namespace: PLUGIN_NAMESPACE, fieldSelector: `involvedObject.name=${name}` }),
  );
  return items.map(({ reason = "", message = "" }) => ({ reason, message }));
}

/** Waits until an Event of the pod has the agent's reason and matches the words. */
export async function waitForEvent({ api }: PluginContext, name: string, reason: string, words: RegExp): Promise<void> {
  await Eventually(
    `an Event ${reason} of pod ${name} matches ${String(words)}`,
    () => listEvents(api, name),
    (events) => events.some((event) => event.reason === reason && words.test(event.message)),
    { timeout: 60_000 },
  );
}

/** Deletes pods at once, and waits until their kubelets have torn them down, which a grace period of 0 would not do. */
export async function deletePods({ api }: PluginContext, names: readonly string[]): Promise<void> {
  for (const name of names)
    await retryOnServerError(() =>
      api.core.deleteNamespacedPod({ namespace: PLUGIN_NAMESPACE, name, gracePeriodSeconds: 1 }),
    );
  await Eventually(
    `pods ${names.join(", ")} are deleted`,
    async () => {
      const { items } = await retryOnServerError(() => api.core.listNamespacedPod({ namespace: PLUGIN_NAMESPACE }));
      return items.flatMap(({ metadata }) => (names.includes(metadata?.name ?? "") ? [metadata?.name] : []));
    },
    (remaining) => remaining.length === 0,
    { timeout: READY_MS },
  );
}

/** Runs a program in a pod's container. */
export const execInPluginPod = ({ api }: PluginContext, name: string, ...argv: readonly string[]): Promise<string> =>
  api.exec(PLUGIN_NAMESPACE, name, argv);

interface PodNic {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly mac: string;
}

const networkStatus = z.array(
  z.object({
    interface: z.string().default("eth0"),
    ips: z.array(z.string()).default([]),
    mac: z.string().default(""),
    default: z.boolean().optional(),
  }),
);

/** Returns a pod's NICs according to Multus, eth0 first. */
export async function readPodNics({ api }: PluginContext, name: string): Promise<readonly PodNic[]> {
  const { metadata } = await retryOnServerError(() =>
    api.core.readNamespacedPod({ namespace: PLUGIN_NAMESPACE, name }),
  );
  const text = metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"] ?? "[]";
  return (
    networkStatus
      .parse(JSON.parse(text))
      .map(({ interface: nic, ips, mac }) => ({ name: nic, addresses: ips, mac }))
      // The pod's end of the pair is in the plugin's result, and so in Multus's list.
      .filter(({ name: nic }) => nic !== "veth0")
      .toSorted((a, b) => Number(b.name === "eth0") - Number(a.name === "eth0"))
  );
}

export async function findPodNic(context: PluginContext, pod: string, nic: string): Promise<PodNic> {
  const nics = await readPodNics(context, pod);
  const podNic = nics.find(({ name }) => name === nic);
  if (podNic === undefined)
    throw new Error(`pod ${pod} has no NIC ${nic}, but ${nics.map((candidate) => candidate.name).join(", ")}`);
  return podNic;
}

/** Returns the MAC of a pod's link from its kernel: in a lab's containers /sys is the node's. */
export async function readMac(context: PluginContext, pod: string, nic: string): Promise<string> {
  const text = await execInPluginPod(context, pod, "ip", "-o", "link", "show", nic);
  return /link\/ether (\S+)/.exec(text)?.[1] ?? "";
}
