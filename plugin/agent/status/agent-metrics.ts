import { Counter, Histogram, Registry } from "prom-client";
import type { CniLogEntry } from "./cni-log.ts";
import { type MetricsSource, registerAgentState } from "./observed-metrics.ts";

/** Histogram buckets in seconds, from a call that the agent answers to a call that waits for another host. */
const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Histogram buckets in seconds for a pass that reads all links of a node. */
const PASS_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The agent's metrics. Names follow Prometheus' guide: base units, `_total` for counters. */
export class AgentMetrics {
  readonly #registry = new Registry();
  readonly #cniCalls = new Histogram({
    name: "interlay_cni_duration_seconds",
    help: "Duration of CNI calls on this node, by their own log.",
    labelNames: ["plugin", "command", "mode", "result"],
    buckets: CALL_BUCKETS,
    registers: [this.#registry],
  });
  readonly #ipamRequests = new Histogram({
    name: "interlay_ipam_request_duration_seconds",
    help: "Duration of the agent's answers to interlay-ipam.",
    labelNames: ["verb", "result"],
    buckets: CALL_BUCKETS,
    registers: [this.#registry],
  });
  readonly #repairPasses = new Histogram({
    name: "interlay_repair_pass_duration_seconds",
    help: "Duration of passes over the attachments; silent passes read only what has no kernel event.",
    labelNames: ["scope"],
    buckets: PASS_BUCKETS,
    registers: [this.#registry],
  });
  readonly #repairs = new Counter({
    name: "interlay_drift_repaired_total",
    help: "Items that were missing or changed and were restored.",
    labelNames: ["kind"],
    registers: [this.#registry],
  });
  readonly #reclaimed = new Counter({
    name: "interlay_addresses_reclaimed_total",
    help: "Addresses released because their pod no longer exists.",
    registers: [this.#registry],
  });

  /** @param observe returns the agent's current state; called at each scrape */
  constructor(observe: () => MetricsSource) {
    registerAgentState(this.#registry, observe);
  }

  recordCniCall({ plugin, command = "", mode, milliseconds, error }: CniLogEntry): void {
    this.#cniCalls.observe({ plugin, command, mode, result: formatResult(error === undefined) }, milliseconds / 1000);
  }

  recordIpamRequest(verb: string, seconds: number, ok: boolean): void {
    this.#ipamRequests.observe({ verb, result: formatResult(ok) }, seconds);
  }

  countRepairs(lines: readonly string[]): void {
    for (const line of lines) {
      const kind = /: (?:pod|node): (\w+)|: (link) /.exec(line);
      this.#repairs.inc({ kind: kind?.[1] ?? kind?.[2] ?? "other" });
    }
  }

  recordRepairPass(scope: string, seconds: number): void {
    this.#repairPasses.observe({ scope }, seconds);
  }

  countReclaimed(count: number): void {
    this.#reclaimed.inc(count);
  }

  /** Renders all metrics in Prometheus' text format 0.0.4. */
  renderText(): Promise<string> {
    return this.#registry.metrics();
  }
}

function formatResult(ok: boolean): string {
  return ok ? "ok" : "error";
}
