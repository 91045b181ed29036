import { parsePools } from "../../ipam/pool/parse-pools.ts";
import { summarizePools } from "./pool-status.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import type { CniLogEntry } from "./cni-log.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { Metrics } from "./metrics.ts";
import type { Condition } from "./node-state-publisher.ts";
import type { AgentStatus } from "./agent-status.ts";

/** The agent's metrics, each named once. Gauges are read on request. */
export class AgentMetrics {
  readonly #metrics = new Metrics();

  recordCniCall({ plugin, command = "", mode, milliseconds, error }: CniLogEntry): void {
    this.#metrics.observe(
      "interlay_cni_duration_seconds",
      "Duration of CNI calls on this node, by their own log.",
      milliseconds / 1000,
      { plugin, command, mode, result: error === undefined ? "ok" : "error" },
    );
  }

  recordIpamRequest(verb: string, seconds: number, ok: boolean): void {
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

  countRepairs(lines: readonly string[]): void {
    for (const line of lines) {
      const kind = /: (?:pod|node): (\w+)|: (link) /.exec(line);
      this.#metrics.count("interlay_drift_repaired_total", "Items that were missing or changed and were restored.", {
        kind: kind?.[1] ?? kind?.[2] ?? "other",
      });
    }
  }

  recordRepairPass(seconds: number): void {
    this.#metrics.set("interlay_repair_pass_seconds", "Duration of the last pass over all attachments.", seconds);
  }

  countReclaimed(count: number): void {
    this.#metrics.count(
      "interlay_addresses_reclaimed_total",
      "Addresses released because their pod no longer exists.",
      {},
      count,
    );
  }

  renderText(state: AgentStatus, conditions: readonly Condition[], view: ClusterCache, kube: KubeClient): string {
    const m = this.#metrics;
    m.set("interlay_attachments", "Attachments on this node.", state.repair.attachments);
    m.set("interlay_gate_open", "1: replies that bypass the node pass its packet filter.", state.gate.open ? 1 : 0);
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
    for (const [pool, { total, used, free, conflicts }] of summarizePools(view))
      for (const [name, value] of Object.entries({ total, used, free, conflicts }))
        m.set("interlay_pool_addresses", "Addresses of an UnderlayPool.", value, { pool, state: name });
    m.set("interlay_pools_wrong", "Invalid UnderlayPools.", parsePools(view.underlayPools.values()).invalid.size);
    m.set("interlay_api_requests_total", "Requests to the API server.", kube.counts.requests, {}, "counter");
    m.set("interlay_api_writes_total", "Of these, writes.", kube.counts.writes, {}, "counter");
    const { user, system } = process.cpuUsage();
    m.set("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss());
    m.set("process_cpu_seconds_total", "Processor time.", (user + system) / 1e6, {}, "counter");
    return m.text();
  }
}
