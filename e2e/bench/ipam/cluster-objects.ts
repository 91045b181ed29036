import { setTimeout as sleep } from "node:timers/promises";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { signalProcess } from "../../support/agent-process.ts";
import { KubeClient, buildPath } from "../../../plugin/kubernetes/kube-client.ts";
import { GROUP_VERSION, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { POD_LABELS } from "./orders.ts";
import pLimit from "p-limit";

export const IPAM_BENCH_NAMESPACE = "bench-ipam";
const serviceAccounts = { api: "/api/v1", plural: "serviceaccounts", namespace: IPAM_BENCH_NAMESPACE };
const PARALLEL = 8;
const RESPONSIVE_DEADLINE_MS = 120_000;
const QUICK_MS = 200;

export function createKubeClient({ kubeconfig }: Pick<Cluster, "kubeconfig">): KubeClient {
  const config = loadKubeConfig({ kubeconfig });
  return new KubeClient(config);
}

interface BenchPool {
  readonly name: string;
  readonly subnet: string;
  readonly ranges: readonly string[];
}

export async function createPools(kube: KubeClient, pools: readonly BenchPool[]): Promise<void> {
  for (const { name, ...spec } of pools)
    await kube.create(RESOURCE.underlayPools, {
      apiVersion: GROUP_VERSION,
      kind: "UnderlayPool",
      metadata: { name },
      // Only pods of the benchmark use the pool.
      spec: { ...spec, podSelector: { matchLabels: POD_LABELS } },
    });
}

/** Waits until the API server answers quickly: after the start of many nodes, their first lists keep it busy. */
export async function waitUntilResponsive(kube: KubeClient): Promise<void> {
  const deadline = Date.now() + RESPONSIVE_DEADLINE_MS;
  for (let quick = 0; quick < 3;) {
    const started = performance.now();
    try {
      await kube.find(RESOURCE.namespaces, "kube-system");
      quick = performance.now() - started < QUICK_MS ? quick + 1 : 0;
      if (Date.now() > deadline) return; // slow, but it answers: the measurements show it
    } catch (error) {
      if (Date.now() > deadline) throw error;
      quick = 0;
    }
    await sleep(QUICK_MS);
  }
}

/** Creates the namespace of the benchmark's pods. */
export async function createBenchNamespace(kube: KubeClient): Promise<void> {
  await kube.create(RESOURCE.namespaces, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: IPAM_BENCH_NAMESPACE },
  });
  while ((await kube.find(serviceAccounts, "default")) === undefined) await sleep(50);
}

/** Stops the lab's controllers, which would find that nodes do not run and delete their pods during a measurement. */
export function stopControllerManager(cluster: Cluster): Promise<void> {
  return signalProcess(cluster, cluster.nodes[0]?.name ?? "", "^/.*kube-controller-manager", "STOP");
}

/** Creates nodes that exist only as objects and are always ready. */
export async function createNodes(cluster: Cluster, kube: KubeClient, names: readonly string[]): Promise<void> {
  await stopControllerManager(cluster);
  await pLimit(PARALLEL).map(names, (name) =>
    kube.create(RESOURCE.nodes, {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    }),
  );
}

/** Deletes all addresses, so that each measurement starts with an empty cluster. */
export async function clearAddresses(kube: KubeClient): Promise<void> {
  await kube.request("DELETE", buildPath(RESOURCE.underlayAddresses));
}

/** Counts requests that wrote, or tried to write, an address, from the API server's metrics. */
export async function countAddressWrites(metrics: () => Promise<string>): Promise<number> {
  return (await metrics())
    .split("\n")
    .filter((line) => line.startsWith("apiserver_request_total{") && line.includes('resource="underlayaddresses"'))
    .filter((line) => /verb="(POST|PUT|PATCH|DELETE)"/.test(line))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
