import { parsePools } from "../../ipam/pools.ts";
import { poolStatuses } from "./pool-status.ts";
import type { ClusterView } from "../discovery/cluster-cache.ts";
import type { CniCall } from "./cni-log.ts";
import type { Kube } from "../../kubernetes/kube-client.ts";
import { Metrics } from "./metrics.ts";
import type { Condition } from "./node-state-publisher.ts";
import type { AgentState } from "./agent-status.ts";

/** The agent's metrics, each named once. Gauges are read when they are asked for. */
export class AgentMetrics {
  readonly #metrics = new Metrics();

  cniCall({ plugin, command = "", way, milliseconds, error }: CniCall): void {
    this.#metrics.observe(
      "interlay_cni_duration_seconds",
      "Duration of CNI calls on this node, by their own log.",
      milliseconds / 1000,
      { plugin, command, way, result: error === undefined ? "ok" : "error" },
    );
  }

  ipamAnswered(verb: string, seconds: number, ok: boolean): void {
    this.#metrics.observe(
      "interlay_ipam_request_duration_seconds",
      "Duration of the agent's answers to interlay-ipam.",
      seconds,
      {
        verb,
        result: ok ? "ok" : "error",
      },
    );
  }

  repaired(lines: readonly string[]): void {
    for (const line of lines) {
      const kind = /: (?:pod|node): (\w+)|: (link) /.exec(line);
      this.#metrics.count(
        "interlay_drift_repaired_total",
        "Things of ours that were gone or changed, and were put back.",
        {
          kind: kind?.[1] ?? kind?.[2] ?? "other",
        },
      );
    }
  }

  repairTook(seconds: number): void {
    this.#metrics.set("interlay_repair_pass_seconds", "How long the last look at all attachments took.", seconds);
  }

  reclaimed(count: number): void {
    this.#metrics.count(
      "interlay_addresses_reclaimed_total",
      "Addresses given back because their pod is gone.",
      {},
      count,
    );
  }

  text(state: AgentState, conditions: readonly Condition[], view: ClusterView, kube: Kube): string {
    const m = this.#metrics;
    m.set("interlay_attachments", "Attachments that this node looks after.", state.repair.attachments);
    m.set("interlay_gate_open", "1: replies that skip the node come through.", state.gate.open ? 1 : 0);
    m.set("interlay_nf_conntrack_tcp_be_liberal", "The sysctl.", state.tcpBeLiberal);
    m.set(
      "interlay_kube_proxy_invalid_rule",
      "1: kube-proxy has a rule that drops what conntrack calls INVALID.",
      state.kubeProxy.invalidDropRule ? 1 : 0,
      { version: state.kubeProxy.version ?? "unknown", mode: state.kubeProxy.mode ?? "unknown" },
    );
    if (state.kubeProxy.invalidDrops !== undefined)
      m.set(
        "interlay_kube_proxy_invalid_drops_total",
        "Packets that this rule has dropped.",
        state.kubeProxy.invalidDrops,
        {},
        "counter",
      );
    for (const [rule, packets] of state.ruleCounters)
      m.set(
        "interlay_node_rule_packets_total",
        "Packets by rule of the node's nftables table; source-guard counts forged sources.",
        packets,
        { rule },
        "counter",
      );
    for (const { type, status } of conditions)
      m.set("interlay_condition", "Conditions of this node's NodeState; 1: True.", status === "True" ? 1 : 0, { type });
    m.clear("interlay_pool_addresses");
    for (const [pool, { total, used, free, conflicts }] of poolStatuses(view))
      for (const [name, value] of Object.entries({ total, used, free, conflicts }))
        m.set("interlay_pool_addresses", "Addresses of an UnderlayPool.", value, { pool, state: name });
    m.set(
      "interlay_pools_wrong",
      "UnderlayPools that make no sense.",
      parsePools(view.underlayPools.values()).invalid.size,
    );
    m.set("interlay_api_requests_total", "Requests to the API server.", kube.counts.requests, {}, "counter");
    m.set("interlay_api_writes_total", "Of these, writes.", kube.counts.writes, {}, "counter");
    const { user, system } = process.cpuUsage();
    m.set("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss());
    m.set("process_cpu_seconds_total", "Processor time.", (user + system) / 1e6, {}, "counter");
    return m.text();
  }
}
