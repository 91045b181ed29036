import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { roundToHundredth, toMegabytes } from "../measurement/statistics.ts";
import { readLeaderMemory } from "./controller-memory.ts";
import { AgentProcess, findWorkerName } from "./measured-agent.ts";

const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
/** MB and percent of a core. */
const LIMIT = { memory: 80, cpu: 1 } as const;

/** Measures a worker's agent and the leading controller while nothing happens. */
export async function measureIdle(cluster: Cluster, kube: KubeClient): Promise<readonly Measurement[]> {
  await sleep(SETTLE_MS);
  const agent = new AgentProcess(cluster, findWorkerName(cluster));
  const share = await agent.share(IDLE_MS);
  const basis = `a worker's agent, 4 pods attached, ${IDLE_MS / 1000} s`;
  const leaderMemory = await readLeaderMemory(cluster, kube);
  return [
    {
      name: "idle: resident memory",
      value: toMegabytes((await agent.memory()).now),
      unit: "MB",
      limit: LIMIT.memory,
      basis,
    },
    {
      name: "idle: CPU",
      value: roundToHundredth(100 * share),
      unit: "%",
      limit: LIMIT.cpu,
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
