import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getAuditLogFile } from "../../../clusters/lab/control-plane/component-arguments.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { parseIp } from "../../../plugin/datapath/address.ts";
import { buildLabels } from "../../../plugin/ipam/records/address-labels.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { GROUP_VERSION, RESOURCE, underlayAddress } from "../../../plugin/kubernetes/objects.ts";
import { runOnNode } from "../../support/agent-process.ts";
import type { Measurement } from "../measurement/measurement.ts";
import type { RowReporter } from "../measurement/section-runner.ts";
import { readMemory, readStat, TICKS_A_SECOND } from "./process-state.ts";
import { countReopenedWatches, readRequests } from "./agent-requests.ts";
import { roundToHundredth, roundToTenth, roundToThousandth } from "../measurement/statistics.ts";
import { SimulatedFleet } from "./simulated-fleet.ts";

const FLEETS = [10, 100, 500] as const;
const ADDRESSES = 20;
/** Milliseconds in which all events have been delivered. */
const DELIVERY_MS = 3000;
const REST_MS = 600_000;
const LIMIT = { requestsPerSecond: 0.12, reopened: 1, growth: 1.05 } as const;

/** Measures what one address costs all agents, for several numbers of agents, and the largest number at rest and at its start. */
export async function measureFanOut(
  cluster: Cluster,
  kube: KubeClient,
  nodes: readonly string[],
  report: RowReporter,
  print: (line: string) => void,
): Promise<void> {
  const bytes = new Map<number, number>();
  for (const agents of FLEETS) {
    print(`${agents} simulated agents start`);
    const before = await readApiServer(cluster);
    const started = performance.now();
    const fleet = await SimulatedFleet.start({ kubeconfig: cluster.kubeconfig, nodes: nodes.slice(0, agents) });
    const seconds = (performance.now() - started) / 1000;
    try {
      const after = await readApiServer(cluster);
      await sleep(DELIVERY_MS);
      const countsBefore = await fleet.readCounts();
      await changeAddresses(kube, nodes);
      const countsAfter = await fleet.readCounts();
      bytes.set(agents, (countsAfter.eventBytes - countsBefore.eventBytes) / ADDRESSES);
      print(`${agents} agents: ${countsAfter.events - countsBefore.events} events of ${ADDRESSES} addresses`);
      report([
        {
          name: `${agents} agents: bytes for an address created and deleted`,
          value: Math.round(bytes.get(agents) ?? 0),
          unit: "",
          basis: `events to all agents, without bookmarks; ${ADDRESSES} addresses`,
        },
      ]);
      if (agents === Math.max(...FLEETS)) {
        report(describeRollout({ agents, seconds, requests: countsBefore.requests, before, after }));
        report([compareBytes(bytes)]);
        print(`${agents} simulated agents are at rest for ${REST_MS / 60_000} minutes`);
        report(await measureRest(cluster, fleet, agents));
      }
    } finally {
      await fleet.end();
    }
  }
}

function compareBytes(bytes: ReadonlyMap<number, number>): Measurement {
  const [fewest = 1, most = 1] = [bytes.get(FLEETS[0]), bytes.get(FLEETS[2])];
  return {
    name: `bytes for an address, ${FLEETS[2]} agents / ${FLEETS[0]} agents`,
    value: roundToHundredth(most / fewest),
    unit: "x",
    limit: LIMIT.growth,
    basis: "the same addresses",
  };
}

/** Creates addresses of the first nodes and deletes them. */
async function changeAddresses(kube: KubeClient, nodes: readonly string[]): Promise<void> {
  for (let addressNumber = 1; addressNumber <= ADDRESSES; addressNumber++) {
    const address = parseIp(`10.61.0.${addressNumber}`);
    const pod = { namespace: "bench", name: `p${addressNumber}`, uid: `uid-${addressNumber}` };
    const node = nodes[addressNumber % FLEETS[0]] ?? "";
    const spec = { address, pool: "crowd", node, containerId: "c", ifname: "net1", network: "crowd", pod };
    const body = {
      apiVersion: GROUP_VERSION,
      kind: "UnderlayAddress",
      metadata: { name: address, labels: buildLabels(spec) },
      spec,
    };
    const { metadata } = underlayAddress.parse(await kube.create(RESOURCE.underlayAddresses, body));
    await kube.delete(RESOURCE.underlayAddresses, metadata.name, metadata.uid);
  }
  await sleep(DELIVERY_MS);
}

/** Measures the simulated agents at rest by their own counts, and the lab's agents by the API server's audit log. */
async function measureRest(cluster: Cluster, fleet: SimulatedFleet, agents: number): Promise<readonly Measurement[]> {
  const before = await fleet.readCounts();
  const server = await readApiServer(cluster);
  const since = new Date();
  await sleep(REST_MS);
  const after = await fleet.readCounts();
  const cpu = (await readApiServer(cluster)).cpu - server.cpu;
  const requests = await readRequests(getAuditLogFile(dirname(cluster.kubeconfig)), since);
  const agentRequests = requests.filter(({ account }) => account === "interlay-agent");
  const toRate = (requests: number, senders: number): number =>
    roundToThousandth((1000 * requests) / senders / REST_MS);
  const time = `${REST_MS / 60_000} minutes`;
  return [
    {
      name: `${agents} simulated agents at rest: requests per agent`,
      value: toRate(after.requests - before.requests, agents),
      unit: "/s",
      limit: LIMIT.requestsPerSecond,
      basis: `lists and watches, ${time}`,
    },
    {
      name: "agents at rest: requests per agent",
      value: toRate(agentRequests.length, cluster.nodes.length),
      unit: "/s",
      limit: LIMIT.requestsPerSecond,
      basis: `${agentRequests.length} requests of the lab's ${cluster.nodes.length} agents, all counted, ${time}; from the audit log`,
    },
    {
      name: "agents at rest: watches of one kind opened in 5 minutes",
      value: countReopenedWatches(agentRequests, 300_000),
      unit: "",
      limit: LIMIT.reopened,
      basis: `the kind and agent with the most, ${time}`,
    },
    {
      name: `${agents} simulated agents at rest: the API server's CPU`,
      value: roundToHundredth((100_000 * cpu) / REST_MS),
      unit: "%",
      basis: `with the lab's own clients, ${time}`,
    },
    {
      name: "controllers at rest: requests",
      value: toRate(requests.length - agentRequests.length, 1),
      unit: "/s",
      basis: `all replicas, with their Lease, ${time}`,
    },
  ];
}

interface ApiServerState {
  /** Resident memory in MB. */
  readonly now: number;
  /** Peak since the last reset, in MB. */
  readonly peak: number;
  /** CPU time since its start, in seconds. */
  readonly cpu: number;
}

/** Reads the API server's memory and CPU time, and resets the peak of its memory. */
async function readApiServer(cluster: Cluster): Promise<ApiServerState> {
  const name = cluster.nodes[0]?.name ?? "";
  const [pid = ""] = (await runOnNode(cluster, name, ["pgrep", "--full", "^/.*kube-apiserver"])).trim().split("\n");
  const { now, peak } = await readMemory(cluster, name, pid);
  const [user, system] = (await readStat(cluster, name, pid)).slice(11, 13);
  await runOnNode(cluster, name, ["sh", "-c", `echo 5 >/proc/${pid}/clear_refs`]);
  return { now: now / 1e6, peak: peak / 1e6, cpu: (Number(user) + Number(system)) / TICKS_A_SECOND };
}

function describeRollout(rollout: {
  readonly agents: number;
  readonly seconds: number;
  readonly requests: number;
  readonly before: ApiServerState;
  readonly after: ApiServerState;
}): readonly Measurement[] {
  const { agents, seconds, requests, before, after } = rollout;
  const basis = `${agents} agents started at once, all kinds listed and watched after ${roundToTenth(seconds)} s`;
  return [
    { name: `rollout of ${agents} agents: requests`, value: roundToTenth(requests / seconds), unit: "/s", basis },
    {
      name: `rollout of ${agents} agents: the API server's CPU`,
      value: roundToTenth((1000 * (after.cpu - before.cpu)) / agents),
      unit: "ms",
      basis: "per agent; each lists its own addresses of all",
    },
    {
      name: `rollout of ${agents} agents: the API server's peak memory`,
      value: roundToHundredth(after.peak / before.now),
      unit: "x",
      limit: 2,
      basis: `peak ${Math.round(after.peak)} MB, ${Math.round(after.now)} MB with their watches, ${Math.round(before.now)} MB before`,
    },
  ];
}
