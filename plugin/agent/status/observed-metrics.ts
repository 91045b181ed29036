import type { Registry } from "prom-client";
import type { AgentStatus } from "./agent-status.ts";
import type { StatusCondition } from "../../kubernetes/status-schemas.ts";
import { type ObservedMetric, registerObservedMetrics, registerProcessMetrics } from "./register-metrics.ts";

/** The agent's state at the time of a scrape. */
export interface MetricsSource {
  readonly state: AgentStatus;
  readonly conditions: readonly StatusCondition[];
  /** Number of pods that found no free address. */
  readonly waitingPods: number;
  /** Requests to the API server since the start. */
  readonly requests: { readonly requests: number; readonly writes: number };
}

const CONDITION_STATUSES = ["true", "false"] as const;

const OBSERVED: readonly ObservedMetric<MetricsSource>[] = [
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
    name: "interlay_waiting_pods",
    help: "Pods of this node that found no free underlay address and wait for one.",
    read: ({ waitingPods }) => [{ value: waitingPods }],
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
    type: "counter",
    name: "interlay_path_trace_cpu_seconds_total",
    help: "Processor time of the traces behind the condition PathsReady, in seconds.",
    read: ({ state }) => [{ value: state.pathsProcessorMs / 1000 }],
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
];

/**
 * Registers the metrics that are read from the agent's state.
 * @param observe returns the current state; called at each scrape
 */
export function registerAgentState(registry: Registry, observe: () => MetricsSource): void {
  registerProcessMetrics(registry, () => observe().requests);
  registerObservedMetrics(registry, OBSERVED, observe);
}
