import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { measureCalico } from "./ipam/calico.ts";
import { createCalls } from "./ipam/ipam-calls.ts";
import { compareWithEmpty, fillCluster } from "./ipam/full-cluster.ts";
import { measureRollout } from "./ipam/set-rollout.ts";
import { compareRates, measureWhereabouts } from "./ipam/whereabouts-rate.ts";
import { measureAllocations, measureSizes, type Scale } from "./ipam/allocations.ts";
import { measureAdd } from "./ipam/measure-add.ts";
import { createBenchNamespace, createKubeClient, createNodes, IPAM_BENCH_NAMESPACE } from "./ipam/cluster-objects.ts";
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
    "addresses per second from 1, 10 and 50 nodes at once, writes per address, a full cluster, a rollout, and ADD, compared with whereabouts and calico-ipam, in a lab",
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
        const calls = await createCalls(cluster, kube);
        const measurements: Measurement[] = [];
        const report = (more: readonly Measurement[]): void => {
          for (const { name: label, value, unit } of more) print(`${label}: ${value} ${unit}`);
          measurements.push(...more);
        };
        await createBenchNamespace(kube);
        report(await measureRollout(cluster, kube));
        report(await measureAdd(calls, kube));
        report(await measureWhereabouts(cluster, calls, progress));
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
        report(compareRates(measurements));
        print("creating 50,000 addresses of 200 pools");
        await fillCluster(kube);
        report(compareWithEmpty(measurements, await measureAllocations({ ...context, metrics }, THOUSAND, "filled")));
        return measurements;
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
