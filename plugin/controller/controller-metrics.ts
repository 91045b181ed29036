import { Counter, Registry } from "prom-client";
import {
  type ObservedMetric,
  registerObservedMetrics,
  registerProcessMetrics,
  type RequestCounts,
} from "../agent/status/register-metrics.ts";
import { parsePools } from "../ipam/pool/parse-pools.ts";
import type { ControllerCache } from "./controller-cache.ts";
import { summarizePools } from "./pool-status.ts";

/** The controller's state at the time of a scrape. */
export interface ControllerMetricsSource {
  /** Undefined if this replica is not the leader. */
  readonly cache: Pick<ControllerCache, "underlayPools" | "underlayAddresses"> | undefined;
  readonly requests: RequestCounts;
}

const OBSERVED: readonly ObservedMetric<ControllerMetricsSource>[] = [
  {
    type: "gauge",
    name: "interlay_leader",
    help: "1: this replica of the controller does the cluster-wide work.",
    read: ({ cache }) => [{ value: Number(cache !== undefined) }],
  },
  {
    type: "gauge",
    name: "interlay_pool_addresses",
    help: "Addresses of an UnderlayPool; exported by the leader.",
    labels: ["pool", "state"],
    read: ({ cache }) =>
      cache === undefined
        ? []
        : [...summarizePools(cache)].flatMap(([pool, { total, used, free, conflicts }]) =>
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
    read: ({ cache }) =>
      cache === undefined ? [] : [{ value: parsePools(cache.underlayPools.values()).invalid.size }],
  },
];

/** The controller's metrics. */
export class ControllerMetrics {
  readonly #registry = new Registry();
  readonly #reclaimed = new Counter({
    name: "interlay_addresses_reclaimed_total",
    help: "Addresses released because their pod no longer exists.",
    registers: [this.#registry],
  });

  /** @param observe returns the controller's current state; called at each scrape */
  constructor(observe: () => ControllerMetricsSource) {
    registerProcessMetrics(this.#registry, () => observe().requests);
    registerObservedMetrics(this.#registry, OBSERVED, observe);
  }

  countReclaimed(count: number): void {
    this.#reclaimed.inc(count);
  }

  /** Renders all metrics in Prometheus' text format 0.0.4. */
  renderText(): Promise<string> {
    return this.#registry.metrics();
  }
}
