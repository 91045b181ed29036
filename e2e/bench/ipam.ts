import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { createCalls } from "./ipam/ipam-calls.ts";
import { compareWithEmpty, fillCluster } from "./ipam/full-cluster.ts";
import { measureRollout } from "./ipam/set-rollout.ts";
import { comparePlugins } from "./ipam/compare-plugins.ts";
import { SectionRunner } from "./measurement/section-runner.ts";
import { measureAllocations, measureSizes, type Scale } from "./ipam/allocations.ts";
import { measureAdd } from "./ipam/measure-add.ts";
import {
  clearAddresses,
  createBenchNamespace,
  createKubeClient,
  createNodes,
  IPAM_BENCH_NAMESPACE,
  waitUntilResponsive,
} from "./ipam/cluster-objects.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

const THOUSAND: Scale = { nodes: 10, podsPerNode: 100, atOnce: 10 };

/** Numbers of nodes and pods, and of pods that start on a node at the same time. */
const SCALES: readonly Scale[] = [
  { nodes: 1, podsPerNode: 100, atOnce: 10 },
  THOUSAND,
  { nodes: 50, podsPerNode: 10, atOnce: 10 },
];

/** Measures the allocation of addresses in a lab with a real API server, whose agents watch the addresses. */
export const runIpamBench: Bench = {
  name: "ipam",
  description:
    "a rollout, ADD compared with whereabouts and calico-ipam, addresses per second from 1, 10 and 50 nodes at once, writes per address, and a full cluster, in a lab",
  parts: { components: [...LAB_PARTS, "whereabouts"] },
  run: async (print) => {
    const directory = await mkdtemp(join(tmpdir(), "interlay-bench-ipam-"));
    try {
      return await withBenchLab("ipam", async (cluster, progress) => {
        const components = await resolveComponents(
          (["kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const).map((program) => ({
            name: program,
            version: cluster.spec.kubernetes,
          })),
          progress,
        );
        const kubectl = new Kubectl(components.path("kubectl", cluster.spec.kubernetes), cluster.kubeconfig);
        const kube = createKubeClient(cluster);
        const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
        const runner = new SectionRunner(print);
        const measure = (part: string, run: () => Promise<readonly Measurement[]>): Promise<void> =>
          runner.measure(part, async () => {
            await waitUntilResponsive(kube);
            return run();
          });
        await waitUntilResponsive(kube);
        const calls = await Promise.all(workers.map((name) => createCalls(cluster, kube, name)));
        await createBenchNamespace(kube);
        await measure("rollout", () => measureRollout(cluster, kube));
        await measure("ADD", () => measureAdd(calls, kube));
        await measure("removal of these addresses", async () => {
          for (const call of calls) await call.close();
          await clearAddresses(kube);
          return [];
        });
        print("creating nodes that exist only in the API server");
        const nodeCount = Math.max(...SCALES.map(({ nodes }) => nodes));
        const nodes = Array.from({ length: nodeCount }, (_, index) => `bench-${index + 1}`);
        await createNodes(cluster, kube, nodes);
        const context = {
          kube,
          directory,
          nodes,
          workers: { kubeconfig: cluster.kubeconfig, namespace: IPAM_BENCH_NAMESPACE },
        };
        await runner.prepare("comparison of plugins", () => comparePlugins(cluster, context, measure, progress));
        const metrics = () => kubectl.run(["get", "--raw", "/metrics"]);
        await measure("sizes", () => measureSizes({ ...context, metrics }));
        for (const scale of SCALES)
          await measure(`${scale.nodes} nodes`, () => measureAllocations({ ...context, metrics }, scale));
        await measure("full cluster", async () => {
          print("creating 50,000 addresses of 200 pools");
          await fillCluster(kube);
          const filled = await measureAllocations({ ...context, metrics }, THOUSAND, "filled");
          return compareWithEmpty(runner.rows, filled);
        });
        return runner.rows;
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
