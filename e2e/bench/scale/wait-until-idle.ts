import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { hasSettled } from "../../../clusters/kubernetes/kube-proxy-config.ts";

/** kube-proxy's iptables.minSyncPeriod in this lab. */
export const MIN_SYNC_SECONDS = 10;
/** Time without new rules after which kube-proxy is idle. */
const SETTLED_SECONDS = MIN_SYNC_SECONDS + 2;
/** Maximum CPU pressure of an idle machine: share of ten seconds in which a task waited for a processor. */
const IDLE_PERCENT = 60;
const LIMIT_MS = { kubeProxies: 150_000, processors: 30_000 } as const;
const POLL_MS = 2000;
const METRICS = ["curl", "--silent", "--max-time", "5", "http://127.0.0.1:10249/metrics"];

interface IdleState {
  readonly waitedSeconds: number;
  /** Nodes whose kube-proxy was not idle at the time limit. */
  readonly unsettled: readonly string[];
  /** See IDLE_PERCENT. */
  readonly pressurePercent: number;
  /** Load average of the last minute. */
  readonly load: number;
}

/**
 * Waits until every kube-proxy has written its rules, and then until the processors are idle, with time limits because the
 * machine may have other load.
 */
export async function waitUntilIdle(cluster: Cluster): Promise<IdleState> {
  const started = performance.now();
  let unsettled = cluster.nodes.map(({ name }) => name);
  while (unsettled.length > 0 && performance.now() - started < LIMIT_MS.kubeProxies) {
    unsettled = await findBusyNodes(cluster, unsettled);
    if (unsettled.length > 0) await sleep(POLL_MS);
  }
  const settled = performance.now();
  while ((await readCpuPressure()) > IDLE_PERCENT && performance.now() - settled < LIMIT_MS.processors)
    await sleep(POLL_MS);
  return {
    waitedSeconds: Math.round((performance.now() - started) / 1000),
    unsettled,
    pressurePercent: Math.round(await readCpuPressure()),
    load: Math.round(10 * (loadavg()[0] ?? 0)) / 10,
  };
}

/** Describes the load at the time of a measurement. */
export function describeIdle({ waitedSeconds, unsettled, pressurePercent, load }: IdleState): string {
  const busy = unsettled.length === 0 ? "" : `; ${unsettled.length} kube-proxies still wrote rules`;
  return `after ${waitedSeconds} s of waiting: load ${load}, ${pressurePercent} % CPU pressure${busy}`;
}

async function findBusyNodes(cluster: Cluster, nodes: readonly string[]): Promise<string[]> {
  const busyNodes: string[] = [];
  for (const node of nodes) {
    const { stdout } = await cluster.exec(node, METRICS);
    if (!hasSettled(stdout, Date.now() / 1000, SETTLED_SECONDS)) busyNodes.push(node);
  }
  return busyNodes;
}

/** Returns `some avg10` of the kernel's pressure stall information in percent; 0 if it is not available. */
async function readCpuPressure(): Promise<number> {
  const text = await readFile("/proc/pressure/cpu", "utf8").catch(() => "");
  return Number(/^some avg10=([\d.]+)/m.exec(text)?.[1] ?? 0);
}
