import { Counter, Gauge, type Registry } from "prom-client";
import { VERSION } from "../../version/version.ts";

interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A metric whose samples are read from the state of a process at each scrape. */
export interface ObservedMetric<S> {
  readonly type: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (source: S) => readonly Sample[];
}

/** Numbers of requests to the API server since the start. */
export interface RequestCounts {
  readonly requests: number;
  readonly writes: number;
}

/** Metrics of every process of Interlay. */
const PROCESS: readonly ObservedMetric<RequestCounts>[] = [
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
    type: "counter",
    name: "interlay_api_requests_total",
    help: "Requests to the API server.",
    read: ({ requests }) => [{ value: requests }],
  },
  {
    type: "counter",
    name: "interlay_api_writes_total",
    help: "Requests to the API server that change an object.",
    read: ({ writes }) => [{ value: writes }],
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

/** Registers version, requests to the API server, memory and processor time. */
export function registerProcessMetrics(registry: Registry, countRequests: () => RequestCounts): void {
  registerObservedMetrics(registry, PROCESS, countRequests);
}

/**
 * Registers metrics that are read at each scrape. A scrape replaces all their samples, so that no series of a deleted object or of
 * an earlier version stays.
 * @param observe returns the current state; called at each scrape
 */
export function registerObservedMetrics<S>(
  registry: Registry,
  metrics: readonly ObservedMetric<S>[],
  observe: () => S,
): void {
  for (const { type, name, help, labels = [], read } of metrics) {
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
