import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";
import type { ClusterApi } from "../../support/cluster-api.ts";
import { AgentProcess } from "../agent/measured-agent.ts";
import { median } from "../measurement/statistics.ts";
import { createScalePods, removePod } from "./scale-pods.ts";

/** Values that are measured after each step. */
export interface Measures {
  /** Milliseconds of ADD by the plugin and by interlay-ipam, one pod after another. */
  readonly add: number;
  readonly ipamAdd: number;
  /** Median resident memory of the agents in MiB. */
  readonly agentMemory: number;
  /** Median CPU time of some idle agents with the programs that they call, in per mille of a processor. */
  readonly agentProcessor: number;
  /** Numbers on the first worker. */
  readonly ourRoutes: number;
  readonly routes: number;
  readonly ourNftRules: number;
  readonly nftRules: number;
}

const SINGLE_ADDS = 6;
const IDLE_MS = 20_000;
/** Number of agents whose CPU time is read: finding an agent costs more than reading it. */
const MEASURED_AGENTS = 4;
const LOG = "/var/log/interlay/cni.log";
const METRICS = ["curl", "--silent", "--max-time", "5", "http://127.0.0.1:9810/metrics"];
const call = z.object({
  plugin: z.string().default("interlay"),
  command: z.string().optional(),
  pod: z.object({ name: z.string() }).optional(),
  milliseconds: z.number(),
});

/** Measures the nodes; the lab must be idle, because idle CPU time is measured first. */
export async function measureNodes(cluster: Cluster, api: ClusterApi, step: number): Promise<Measures> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  const [firstWorker = ""] = workers;
  const agents = await measureAgents(cluster, workers);
  const durations = await measureSingleAdds(cluster, api, firstWorker, step);
  const [interlayRoutes, allRoutes, interlayRules, allRules] = await Promise.all([
    countLines(cluster, firstWorker, ["ip", "route", "show", "table", "all", "proto", "105"]),
    countLines(cluster, firstWorker, ["ip", "route", "show", "table", "all"]),
    countNftRules(cluster, firstWorker, ["nft", "list", "table", "inet", "interlay"]),
    countNftRules(cluster, firstWorker, ["nft", "list", "ruleset"]),
  ]);
  return {
    ...durations,
    ...agents,
    ourRoutes: interlayRoutes,
    routes: allRoutes,
    ourNftRules: interlayRules,
    nftRules: allRules,
  };
}

/** Creates underlay and multi-NIC pods alternately, one at a time so that they do not wait for others, and deletes them. */
async function measureSingleAdds(cluster: Cluster, api: ClusterApi, node: string, step: number) {
  const names = Array.from({ length: SINGLE_ADDS }, (_, index) => `alone-${step}-${index + 1}`);
  for (const [index, name] of names.entries())
    await createScalePods(cluster, api, [{ name, type: index % 2 === 0 ? "underlay" : "multi-nic", node: 0 }]);
  const calls = (await runOnNode(cluster, node, ["tail", "-n", "400", LOG]))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => call.parse(JSON.parse(line)))
    .filter(({ command, pod }) => command === "ADD" && names.includes(pod?.name ?? ""));
  const findMedian = (plugin: string) =>
    median(calls.filter((entry) => entry.plugin === plugin).map((one) => one.milliseconds));
  const durations = { add: findMedian("interlay"), ipamAdd: findMedian("interlay-ipam") };
  for (const name of names) await removePod(api, name);
  return durations;
}

async function measureAgents(cluster: Cluster, workers: readonly string[]) {
  const share = await Promise.all(
    workers.slice(0, MEASURED_AGENTS).map((node) => new AgentProcess(cluster, node).share(IDLE_MS)),
  );
  const memory = await Promise.all(
    workers.map(async (node) => {
      const text = (await cluster.exec(node, METRICS)).stdout;
      return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1] ?? NaN);
    }),
  );
  return { agentMemory: median(memory) / 2 ** 20, agentProcessor: 1000 * median(share) };
}

async function countLines(cluster: Cluster, node: string, argv: readonly string[]): Promise<number> {
  return (await runOnNode(cluster, node, argv)).split("\n").filter((line) => line.trim() !== "").length;
}

/** Counts the rules in chains, without elements of sets and limits of blocks. */
async function countNftRules(cluster: Cluster, node: string, argv: readonly string[]): Promise<number> {
  const text = await runOnNode(cluster, node, argv);
  let inChain = false;
  let rules = 0;
  for (const line of text.split("\n").map((text) => text.trim())) {
    if (/^chain .*\{$/.test(line)) inChain = true;
    else if (line === "}") inChain = false;
    else if (inChain && line !== "" && !line.startsWith("type ")) rules++;
  }
  return rules;
}
