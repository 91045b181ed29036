import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { getAuditLogFile } from "../../clusters/lab/control-plane/component-arguments.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { findControllerProcess } from "../support/controller-process.ts";
import { deployPods } from "../deployment/deploy.ts";
import type { KubeClient } from "../../plugin/kubernetes/kube-client.ts";
import { RESOURCE } from "../../plugin/kubernetes/objects.ts";
import { AgentProcess } from "./agent/measured-agent.ts";
import { readMemory } from "./agent/process-state.ts";
import { measureFanOut } from "./agent/fan-out.ts";
import { measurePoolStatus } from "./agent/measure-pool-status.ts";
import { measureRepairPass } from "./agent/repair-pass.ts";
import { readRequests } from "./agent/agent-requests.ts";
import { ADDRESSES, changeAddresses, createObjects, POOL, SCALE } from "./agent/simulated-objects.ts";
import { pauseControllers, restartControllers } from "./agent/restart-controllers.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { createKubeClient, stopControllerManager } from "./ipam/cluster-objects.ts";
import { roundToHundredth, roundToTenth } from "./measurement/statistics.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const CHANGED_ADDRESSES = 1000;
const lease = z.object({ spec: z.object({ holderIdentity: z.string() }) });
/** MB and milliseconds. */
const LIMIT = { idle: 80, memory: 90, ready: 2000 } as const;

/** Measures an agent in a lab with a real API server; the other nodes and pods exist only as objects. */
export const runAgentBench: Bench = {
  name: "agent",
  description: `an agent's memory and processor time, idle and with ${ADDRESSES} addresses of ${SCALE.nodes} nodes as objects, in a lab`,
  parts: { components: LAB_PARTS },
  run: (print) =>
    withBenchLab("agent", async (cluster) => {
      const deployment = await deployPods(cluster, clusterApi(cluster));
      await deployment.closeProbers();
      const measurements: Measurement[] = [];
      const report = (more: readonly Measurement[]): void => {
        for (const { name, value, unit, basis } of more) print(`${name}: ${value} ${unit} (${basis})`);
        measurements.push(...more);
      };
      report(await measureIdle(cluster));
      report(await measureWithObjects(cluster, print));
      report(await measureFanOut(cluster, createKubeClient(cluster), nameNodes(), print));
      report(await measureRepairPass());
      report([measurePoolStatus()]);
      return measurements;
    }),
};

const nameNodes = (): readonly string[] => Array.from({ length: SCALE.nodes }, (_, index) => `crowd-${index + 1}`);
const getWorkerName = (cluster: Cluster): string => cluster.nodes.find(({ role }) => role === "worker")?.name ?? "";
const toMegabytes = (bytes: number): number => roundToTenth(bytes / 1e6);
const toPercent = (share: number): number => roundToHundredth(100 * share);

async function measureIdle(cluster: Cluster): Promise<readonly Measurement[]> {
  await sleep(SETTLE_MS);
  const agent = new AgentProcess(cluster, getWorkerName(cluster));
  const share = await agent.share(IDLE_MS);
  const basis = `a worker's agent, 4 pods attached, ${IDLE_MS / 1000} s`;
  const leaderMemory = await readLeaderMemory(cluster, createKubeClient(cluster));
  return [
    {
      name: "idle: resident memory",
      value: toMegabytes((await agent.memory()).now),
      unit: "MB",
      limit: LIMIT.idle,
      basis,
    },
    {
      name: "idle: CPU",
      value: toPercent(share),
      unit: "%",
      limit: 1,
      basis: `${basis}, with the programs that it calls`,
    },
    {
      name: "idle: the leading controller's memory",
      value: toMegabytes(leaderMemory.now),
      unit: "MB",
      basis: "the same lab",
    },
  ];
}

async function readLeaderMemory(cluster: Cluster, kube: KubeClient): ReturnType<typeof readMemory> {
  const { holderIdentity } = lease.parse(await kube.get(RESOURCE.leases, "interlay-leader")).spec;
  const { node, pid } = await findControllerProcess(cluster, holderIdentity);
  return readMemory(cluster, node, pid);
}

async function measureWithObjects(cluster: Cluster, print: (line: string) => void): Promise<readonly Measurement[]> {
  const kube = createKubeClient(cluster);
  const names = nameNodes();
  const started = performance.now();
  await stopControllerManager(cluster);
  await pauseControllers(cluster);
  await createObjects(cluster, kube, names);
  print(
    `${ADDRESSES} addresses of ${SCALE.nodes} nodes: created in ${roundToTenth((performance.now() - started) / 1000)} s`,
  );
  const counted = await restartControllers(cluster, kube, { name: POOL, addresses: ADDRESSES });
  const basis = `${ADDRESSES} addresses; ${SCALE.nodes} nodes, NodeStates, blocks`;
  const agent = new AgentProcess(cluster, getWorkerName(cluster));
  const start = await agent.restart();
  await sleep(SETTLE_MS);
  const since = new Date();
  await changeAddresses(kube, CHANGED_ADDRESSES);
  const share = await agent.share(IDLE_MS);
  const [own, leaderMemory] = [await agent.memory(), await readLeaderMemory(cluster, kube)];
  const requests = await readRequests(getAuditLogFile(dirname(cluster.kubeconfig)), since);
  // Requests for kinds that the API server does not have (ServiceCIDR before v1.33) are not lists.
  const lists = requests.filter(({ verb, status }) => verb === "list" && status !== 404).length;
  const clusterSize = `${SCALE.nodes} nodes`;
  return [
    {
      name: `${clusterSize}: start to ready`,
      value: roundToTenth(start.milliseconds),
      unit: "ms",
      limit: LIMIT.ready,
      basis: `${basis}; a new process without facts, which lists every kind`,
    },
    {
      name: `${clusterSize}: start to ready, CPU`,
      value: roundToTenth(start.cpu),
      unit: "ms",
      basis: "the same start, its own CPU time",
    },
    { name: `${clusterSize}: resident memory`, value: toMegabytes(own.now), unit: "MB", limit: LIMIT.memory, basis },
    {
      name: `${clusterSize}: peak memory`,
      value: toMegabytes(own.peak),
      unit: "MB",
      basis: "VmHWM since the start",
    },
    {
      name: `${clusterSize}: the leading controller's memory`,
      value: toMegabytes(leaderMemory.now),
      unit: "MB",
      basis,
    },
    {
      name: `${clusterSize}: start of the controllers`,
      value: roundToTenth(counted / 1000),
      unit: "s",
      basis: "all replicas killed; until the next leader has listed and counted all addresses",
    },
    { name: `${clusterSize}: CPU`, value: toPercent(share), unit: "%", basis: "nothing changes" },
    {
      name: `${clusterSize}: lists`,
      value: lists,
      unit: "requests",
      limit: 0,
      basis: `all agents, while ${CHANGED_ADDRESSES} addresses change and for ${IDLE_MS / 1000} s afterwards, from the API server's audit log`,
    },
  ];
}
