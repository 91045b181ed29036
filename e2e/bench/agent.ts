import type { Cluster } from "../../clusters/provider/provider.ts";
import { deployPods } from "../deployment/deploy.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { measureFanOut } from "./agent/fan-out.ts";
import { measureIdle } from "./agent/idle-agent.ts";
import { createLargeCluster, measureLargeCluster } from "./agent/large-cluster.ts";
import { measurePoolStatus } from "./agent/measure-pool-status.ts";
import { measureRepairPass } from "./agent/repair-pass.ts";
import { ADDRESSES, listSimulatedNodes, SCALE } from "./agent/simulated-objects.ts";
import { createKubeClient } from "./ipam/cluster-objects.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import { SectionRunner } from "./measurement/section-runner.ts";
import type { Bench } from "./measurement/measurement.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

const IN_LAB = ["idle", "large-cluster", "fleets"] as const;

/** Measures an agent in a lab with a real API server; the other nodes and pods exist only as objects. */
export const runAgentBench: Bench = {
  name: "agent",
  description: `an agent's memory, CPU and requests, idle and with ${ADDRESSES} addresses of ${SCALE.nodes} nodes as objects, and simulated agents, in a lab`,
  parts: { components: LAB_PARTS },
  sections: ["repair-pass", "pool-status", ...IN_LAB],
  run: async (print, sections) => {
    const runner = new SectionRunner(print, sections);
    await runner.measure("repair-pass", measureRepairPass);
    await runner.measure("pool-status", () => Promise.resolve([measurePoolStatus()]));
    if (runner.selects(...IN_LAB))
      await runner.prepare("lab", () => withBenchLab("agent", (cluster) => measureInLab(cluster, runner, print)));
    return runner.rows;
  },
};

async function measureInLab(cluster: Cluster, runner: SectionRunner, print: (line: string) => void): Promise<void> {
  const deployment = await deployPods(cluster, clusterApi(cluster));
  await deployment.closeProbers();
  const kube = createKubeClient(cluster);
  let objectsCreated: Promise<number> | undefined;
  const fillOnce = (): Promise<number> => (objectsCreated ??= createLargeCluster(cluster, kube, print));
  await runner.measure("idle", () => measureIdle(cluster, kube));
  await runner.measure("large-cluster", async () => measureLargeCluster(cluster, kube, await fillOnce()));
  await runner.measure("fleets", async (report) => {
    await fillOnce();
    await measureFanOut(cluster, kube, listSimulatedNodes(), report, print);
    return [];
  });
}
