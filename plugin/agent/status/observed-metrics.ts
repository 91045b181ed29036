import { Counter, Gauge, type Registry } from "prom-client";
import { parsePools } from "../../ipam/pool/parse-pools.ts";
import { VERSION } from "../../version/version.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import type { AgentStatus } from "./agent-status.ts";
import type { StatusCondition } from "../../kubernetes/status-schemas.ts";
import { summarizePools } from "./pool-status.ts";

/** The agent's state at the time of a scrape. */
export interface MetricsSource {
  readonly state: AgentStatus;
  readonly conditions: readonly StatusCondition[];
  readonly view: ClusterCache;
  /** Requests to the API server since the start. */
  readonly requests: { readonly requests: number; readonly writes: number };
  /** Whether this agent is the leader, which exports what the whole cluster shares. */
  readonly isLeader: boolean;
}

interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A metric whose samples are read from the agent's state at each scrape. */
interface ObservedMetric {
  readonly type: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (source: MetricsSource) => readonly Sample[];
}

const CONDITION_STATUSES = ["true", "false"] as const;

const OBSERVED: readonly ObservedMetric[] = [
  {
    type: "gauge",
    name: "interlay_build_info",
    help: "Version of Interlay and architecture of the node; always 1.",
    labels: ["version", "architecture"],
    read: () => [
      { value: 1, labels: { version: VERSION, architecture: process.arch === "x64" ? "amd64" : process.arch } },
    ],
  },
  {
    type: "gauge",
    name: "interlay_leader",
    help: "1: this agent does the cluster-wide work.",
    read: ({ isLeader }) => [{ value: Number(isLeader) }],
  },
  {
    type: "gauge",
    name: "interlay_attachments",
    help: "Attachments on this node.",
    read: ({ state }) => [{ value: state.repair.attachments }],
  },
  {
    type: "gauge",
    name: "interlay_attachments_failed",
    help: "Attachments of this node that could not be repaired.",
    read: ({ state }) => [{ value: state.repair.failed.length }],
  },
  {
    type: "gauge",
    name: "interlay_gate_open",
    help: "1: replies that bypass the node pass its packet filter.",
    read: ({ state }) => [{ value: Number(state.gate.open) }],
  },
  {
    type: "gauge",
    name: "interlay_nf_conntrack_tcp_be_liberal",
    help: "The sysctl net.netfilter.nf_conntrack_tcp_be_liberal.",
    read: ({ state }) => [{ value: state.tcpBeLiberal }],
  },
  {
    type: "gauge",
    name: "interlay_kube_proxy_info",
    help: "Version and mode of the node's kube-proxy; always 1, absent while they are not known.",
    labels: ["version", "mode"],
    read: ({ state: { kubeProxy } }) =>
      kubeProxy.version === null && kubeProxy.mode === null
        ? []
        : [{ value: 1, labels: { version: kubeProxy.version ?? "unknown", mode: kubeProxy.mode ?? "unknown" } }],
  },
  {
    type: "gauge",
    name: "interlay_kube_proxy_invalid_rule",
    help: "1: kube-proxy has a rule that drops packets which conntrack calls INVALID.",
    read: ({ state }) => [{ value: Number(state.kubeProxy.invalidDropRule) }],
  },
  {
    type: "counter",
    name: "interlay_kube_proxy_invalid_drops_total",
    help: "Packets that this rule has dropped.",
    read: ({ state: { kubeProxy } }) =>
      kubeProxy.invalidDrops === undefined ? [] : [{ value: kubeProxy.invalidDrops }],
  },
  {
    type: "counter",
    name: "interlay_node_rule_packets_total",
    help: "Packets by rule of the nftables tables on the node; source-guard counts forged sources.",
    labels: ["rule"],
    read: ({ state }) => [...state.ruleCounters].map(([rule, value]) => ({ value, labels: { rule } })),
  },
  {
    type: "gauge",
    name: "interlay_condition",
    help: "Conditions of this node's NodeState: 1 for the status that the condition has.",
    labels: ["type", "status"],
    read: ({ conditions }) =>
      conditions.flatMap(({ type, status: current }) =>
        CONDITION_STATUSES.map((status) => ({
          value: Number(current.toLowerCase() === status),
          labels: { type, status },
        })),
      ),
  },
  {
    type: "gauge",
    name: "interlay_pool_addresses",
    help: "Addresses of an UnderlayPool; exported by the leader.",
    labels: ["pool", "state"],
    read: ({ view, isLeader }) =>
      !isLeader
        ? []
        : [...summarizePools(view)].flatMap(([pool, { total, used, free, conflicts }]) =>
            Object.entries({ total, used, free, conflicts }).map(([state, value]) => ({
              value,
              labels: { pool, state },
            })),
          ),
  },
  {
    type: "gauge",
    name: "interlay_pools_invalid",
    help: "UnderlayPools that cannot be used; exported by the leader.",
    read: ({ view, isLeader }) => (isLeader ? [{ value: parsePools(view.underlayPools.values()).invalid.size }] : []),
  },
  {
    type: "counter",
    name: "interlay_api_requests_total",
    help: "Requests to the API server.",
    read: ({ requests }) => [{ value: requests.requests }],
  },
  {
    type: "counter",
    name: "interlay_api_writes_total",
    help: "Requests to the API server that change an object.",
    read: ({ requests }) => [{ value: requests.writes }],
  },
  {
    type: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident memory.",
    read: () => [{ value: process.memoryUsage.rss() }],
  },
  {
    type: "counter",
    name: "process_cpu_seconds_total",
    help: "Processor time.",
    read: () => {
      const { user, system } = process.cpuUsage();
      return [{ value: (user + system) / 1e6 }];
    },
  },
];

/**
 * Registers the metrics that are read from the agent's state. Each scrape replaces all their samples, so that no series of a
 * deleted object or of an earlier version stays.
 * @param observe returns the state at the moment of the scrape
 */
export function registerObservedMetrics(registry: Registry, observe: () => MetricsSource): void {
  for (const { type, name, help, labels = [], read } of OBSERVED) {
    const configuration = { name, help, labelNames: labels, registers: [registry] };
    if (type === "gauge")
      new Gauge({
        ...configuration,
        collect() {
          clearSamples(this, labels);
          for (const { labels: values = {}, value } of read(observe())) this.set(values, value);
        },
      });
    else
      new Counter({
        ...configuration,
        collect() {
          clearSamples(this, labels);
          for (const { labels: values = {}, value } of read(observe())) this.inc(values, value);
        },
      });
  }
}

/** Removes all samples; `reset` alone leaves the sample 0 of a metric without labels. */
function clearSamples(metric: Gauge | Counter, labels: readonly string[]): void {
  metric.reset();
  if (labels.length === 0) metric.remove();
}
