import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import { KubeError } from "../../../plugin/kubernetes/kube-error.ts";
import { GROUP_VERSION, inNamespace, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { runOnNode } from "../../support/agent-process.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { roundToTenth } from "../measurement/statistics.ts";
import { IPAM_BENCH_NAMESPACE } from "./cluster-objects.ts";

const NAME = "rollout";
const REPLICAS = 100;
const SURGE = 10;
const POLL_MS = 500;
const DEADLINE_MS = 600_000;
const LONG_WAIT_MS = 1000;
const deployments = { api: "/apis/apps/v1", plural: "deployments", namespace: IPAM_BENCH_NAMESPACE };

const deploymentStatus = z.object({
  metadata: z.object({ generation: z.number() }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
    })
    .prefault({}),
});
const podList = z.object({
  items: z.array(z.object({ status: z.object({ podIP: z.string().optional() }).default({}) })),
});
const addressList = z.object({
  items: z.array(z.object({ spec: z.object({ address: z.string(), pool: z.string() }) })),
});
const logEntry = z.object({
  time: z.string(),
  plugin: z.string().optional(),
  command: z.string().optional(),
  milliseconds: z.number(),
  pod: z.object({ name: z.string() }).optional(),
});

/** Measures a rollout of a Deployment of 100 pods with a fixed set of 110 addresses, on the nodes of the lab. */
export async function measureRollout(cluster: Cluster, kube: KubeClient): Promise<readonly Measurement[]> {
  await createNetwork(kube);
  try {
    await kube.create(deployments, buildDeployment(cluster.probeImage));
    return await replacePods(cluster, kube);
  } finally {
    await removePods(kube); // also after a failure, so that they do not disturb the other measurements
  }
}

async function replacePods(cluster: Cluster, kube: KubeClient): Promise<readonly Measurement[]> {
  await waitUntilReady(kube, () => undefined);
  const set = await listSet(kube);
  const seenAddresses = new Set<string>();
  const began = new Date();
  await kube.mergePatch(deployments, NAME, {
    spec: { template: { metadata: { annotations: { rollout: "second" } } } },
  });
  await waitUntilReady(kube, async () => {
    for (const { status } of await listPods(kube)) if (status.podIP !== undefined) seenAddresses.add(status.podIP);
  });
  const seconds = (Date.now() - began.getTime()) / 1000;
  const durations = await listAddDurations(cluster, began);
  const basis = `Deployment of ${REPLICAS} with a fixed set of ${set.size}, maxSurge ${SURGE}, ${cluster.nodes.length - 1} workers of a lab`;
  return [
    { name: "rollout: addresses of the set", value: set.size, unit: "", basis },
    { name: "rollout: all pods replaced", value: roundToTenth(seconds), unit: "s", basis },
    {
      name: "rollout: addresses outside the set",
      value: [...seenAddresses].filter((address) => !set.has(address)).length,
      unit: "failures",
      limit: 0,
      basis: `${basis}; ${seenAddresses.size} addresses were seen`,
    },
    {
      name: "rollout: waits of more than 1 s for an address",
      value: durations.filter((milliseconds) => milliseconds > LONG_WAIT_MS).length,
      unit: "failures",
      limit: 0,
      basis: `ADDs of interlay-ipam in the nodes' logs: ${durations.length}, the longest ${Math.round(Math.max(...durations))} ms`,
    },
  ];
}

async function removePods(kube: KubeClient): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  await retryRequest(deadline, () => kube.mergePatch(deployments, NAME, { spec: { replicas: 0 } }));
  while ((await retryRequest(deadline, () => listPods(kube))).length > 0)
    await pause(deadline, "pods exist after the measurement");
}

async function createNetwork(kube: KubeClient): Promise<void> {
  const type = { apiVersion: GROUP_VERSION, metadata: { name: NAME } };
  await kube.create(RESOURCE.underlayPools, {
    ...type,
    kind: "UnderlayPool",
    spec: {
      subnet: "10.7.0.0/16",
      gateway: "10.7.0.1",
      ranges: ["10.7.212.0/24"],
      namespaces: [IPAM_BENCH_NAMESPACE],
    },
  });
  await kube.create(RESOURCE.underlayNetworks, {
    ...type,
    kind: "UnderlayNetwork",
    spec: { namespace: IPAM_BENCH_NAMESPACE, pools: [NAME] },
  });
  const definitions = inNamespace(RESOURCE.attachmentDefinitions, IPAM_BENCH_NAMESPACE);
  const deadline = Date.now() + DEADLINE_MS;
  while ((await retryRequest(deadline, () => kube.find(definitions, NAME))) === undefined)
    await pause(deadline, "the network has no definition");
}

function buildDeployment(image: string): object {
  const labels = { app: NAME };
  const annotations = {
    "v1.multus-cni.io/default-network": `${IPAM_BENCH_NAMESPACE}/${NAME}`,
    "interlay.dev/addresses": `+${SURGE}`,
  };
  const spec = {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    containers: [{ name: "probe", image, imagePullPolicy: "IfNotPresent" }],
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxSurge: SURGE, maxUnavailable: 0 } },
      template: { metadata: { labels, annotations }, spec },
    },
  };
}

async function waitUntilReady(kube: KubeClient, observe: () => Promise<void> | undefined): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    await retryRequest(deadline, async () => observe());
    const object = await retryRequest(deadline, () => kube.get(deployments, NAME));
    const { metadata, status } = deploymentStatus.parse(object);
    const counts = [status.replicas, status.updatedReplicas, status.readyReplicas];
    if (status.observedGeneration >= metadata.generation && counts.every((count) => count === REPLICAS)) return;
    await pause(deadline, `${status.readyReplicas} of ${REPLICAS} pods are ready`);
  }
}

/** Repeats a request while the API server does not answer, as it may while 100 pods start on few processors. */
async function retryRequest<T>(deadline: number, request: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await request();
    } catch (error) {
      if (error instanceof KubeError || error instanceof z.ZodError) throw error;
      await pause(deadline, getErrorMessage(error));
    }
}

async function pause(deadline: number, state: string): Promise<void> {
  if (Date.now() > deadline) throw new Error(`the rollout was not measured: ${state} after ${DEADLINE_MS / 1000} s`);
  await sleep(POLL_MS);
}

async function listPods(kube: KubeClient): Promise<z.infer<typeof podList>["items"]> {
  const pods = podList.parse(
    await kube.list(inNamespace(RESOURCE.pods, IPAM_BENCH_NAMESPACE), { labelSelector: `app=${NAME}` }),
  );
  return pods.items;
}

async function listSet(kube: KubeClient): Promise<ReadonlySet<string>> {
  const { items } = addressList.parse(await kube.list(RESOURCE.underlayAddresses));
  return new Set(items.flatMap(({ spec }) => (spec.pool === NAME ? [spec.address] : [])));
}

/** Returns the milliseconds of each ADD of interlay-ipam for a pod of the Deployment since then, by the nodes' logs. */
async function listAddDurations(cluster: Cluster, since: Date): Promise<readonly number[]> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker");
  const logs = await Promise.all(
    workers.map(({ name }) => runOnNode(cluster, name, ["cat", "/var/log/interlay/cni.log"])),
  );
  return logs
    .flatMap((text) => text.trim().split("\n"))
    .flatMap((line) => logEntry.safeParse(JSON.parse(line)).data ?? [])
    .filter(
      ({ time, plugin, command, pod }) =>
        Date.parse(time) >= since.getTime() &&
        plugin === "interlay-ipam" &&
        command === "ADD" &&
        pod?.name.startsWith(NAME),
    )
    .map(({ milliseconds }) => milliseconds);
}
