import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getAuditLogFile } from "../../../clusters/lab/control-plane/component-arguments.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { stopControllerManager } from "../ipam/cluster-objects.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { median, roundToHundredth, roundToTenth, toMegabytes } from "../measurement/statistics.ts";
import { readRequests } from "./agent-requests.ts";
import { readLeaderMemory } from "./controller-memory.ts";
import { AgentProcess, type AgentStart, findWorkerName } from "./measured-agent.ts";
import { pauseControllers, restartControllers } from "./restart-controllers.ts";
import { ADDRESSES, changeAddresses, createObjects, listSimulatedNodes, POOL, SCALE } from "./simulated-objects.ts";

const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const CHANGED_ADDRESSES = 1000;
const STARTS = 5;
/** MB and milliseconds. */
const LIMIT = { memory: 90, ready: 2000 } as const;

/**
 * Creates the objects of the nodes that do not run, and restarts the controllers, which then read them all.
 *
 * @returns milliseconds from the restart until the next leader has counted all addresses
 */
export async function createLargeCluster(
  cluster: Cluster,
  kube: KubeClient,
  print: (line: string) => void,
): Promise<number> {
  const started = performance.now();
  await stopControllerManager(cluster);
  await pauseControllers(cluster);
  await createObjects(cluster, kube, listSimulatedNodes());
  const seconds = roundToTenth((performance.now() - started) / 1000);
  print(`${ADDRESSES} addresses of ${SCALE.nodes} nodes: created in ${seconds} s; the controllers restart`);
  return restartControllers(cluster, kube, { name: POOL, addresses: ADDRESSES });
}

/**
 * Measures an agent and the leading controller with the objects of a large cluster.
 * @param startMilliseconds time that the controllers needed to start
 */
export async function measureLargeCluster(
  cluster: Cluster,
  kube: KubeClient,
  startMilliseconds: number,
): Promise<readonly Measurement[]> {
  const basis = `${ADDRESSES} addresses; ${SCALE.nodes} nodes, NodeStates, blocks`;
  const agent = new AgentProcess(cluster, findWorkerName(cluster));
  const starts: AgentStart[] = [];
  for (let round = 0; round < STARTS; round++) starts.push(await agent.restart());
  await sleep(SETTLE_MS);
  const since = new Date();
  await changeAddresses(kube, CHANGED_ADDRESSES);
  const share = await agent.share(IDLE_MS);
  const [agentMemory, leaderMemory] = [await agent.memory(), await readLeaderMemory(cluster, kube)];
  const requests = await readRequests(getAuditLogFile(dirname(cluster.kubeconfig)), since);
  // Requests for kinds that the API server does not have (ServiceCIDR before v1.33) are not lists.
  const lists = requests.filter(({ verb, status }) => verb === "list" && status !== 404).length;
  const clusterSize = `${SCALE.nodes} nodes`;
  return [
    {
      name: `${clusterSize}: start to ready`,
      value: roundToTenth(median(starts.map(({ milliseconds }) => milliseconds))),
      unit: "ms",
      limit: LIMIT.ready,
      basis: `${basis}; a new process without facts, which lists every kind; median of ${STARTS}`,
    },
    {
      name: `${clusterSize}: start to ready, CPU`,
      value: roundToTenth(median(starts.map(({ cpu }) => cpu))),
      unit: "ms",
      basis: "the same starts, the process' own CPU time",
    },
    {
      name: `${clusterSize}: resident memory`,
      value: toMegabytes(agentMemory.now),
      unit: "MB",
      limit: LIMIT.memory,
      basis,
    },
    {
      name: `${clusterSize}: peak memory`,
      value: toMegabytes(agentMemory.peak),
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
      value: roundToTenth(startMilliseconds / 1000),
      unit: "s",
      basis: "all replicas killed; until the next leader has listed and counted all addresses",
    },
    { name: `${clusterSize}: CPU`, value: roundToHundredth(100 * share), unit: "%", basis: "nothing changes" },
    {
      name: `${clusterSize}: lists`,
      value: lists,
      unit: "requests",
      limit: 0,
      basis: `all agents, while ${CHANGED_ADDRESSES} addresses change and for ${IDLE_MS / 1000} s afterwards, from the API server's audit log`,
    },
  ];
}
