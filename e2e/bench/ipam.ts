import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { measureCalico } from "./ipam/calico.ts";
import { createCalls } from "./ipam/ipam-calls.ts";
import { measureAllocations, measureSizes, type Scale } from "./ipam/allocations.ts";
import { measureAdd } from "./ipam/measure-add.ts";
import { createKubeClient, createNodes, IPAM_BENCH_NAMESPACE } from "./ipam/cluster-objects.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

/** Numbers of nodes and pods, and of pods that start on a node at the same time. */
const SCALES: readonly Scale[] = [
  { nodes: 1, podsPerNode: 100, atOnce: 10 },
  { nodes: 10, podsPerNode: 100, atOnce: 10 },
  { nodes: 50, podsPerNode: 10, atOnce: 10 },
];

/** Measures the allocation of addresses in a lab with a real API server, whose agents watch the addresses. */
export const runIpamBench: Bench = {
  name: "ipam",
  description:
    "addresses per second from 1, 10 and 50 nodes at once, writes per address, and ADD, compared with calico-ipam, in a lab",
  parts: { components: LAB_PARTS },
  run: async (print) => {
    const directory = await mkdtemp(join(tmpdir(), "interlay-bench-ipam-"));
    try {
      return await withBenchLab("ipam", async (cluster, progress) => {
        const components = await resolveComponents(
          (["kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const).map((of) => ({
            name: of,
            version: cluster.spec.kubernetes,
          })),
          progress,
        );
        const kubectl = new Kubectl(components.path("kubectl", cluster.spec.kubernetes), cluster.kubeconfig);
        const kube = createKubeClient(cluster);
        const calls = await createCalls(cluster, kube);
        const measurements: Measurement[] = [];
        const report = (more: readonly Measurement[]): void => {
          for (const { name: of, value, unit } of more) print(`${of}: ${value} ${unit}`);
          measurements.push(...more);
        };
        report(await measureAdd(calls, kube));
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
        const metrics = () => kubectl.run(["get", "--raw", "/metrics"]);
        report(await measureSizes({ ...context, metrics }));
        for (const scale of SCALES) report(await measureAllocations({ ...context, metrics }, scale));
        report(await measureCalico(cluster, calls));
        return measurements;
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
