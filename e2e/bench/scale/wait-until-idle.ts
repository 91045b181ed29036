import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider.ts";
import { hasSettled } from "../../../clusters/kubernetes/kube-proxy-config.ts";

/** kube-proxy's iptables.minSyncPeriod in this lab. */
export const MIN_SYNC_SECONDS = 10;
/** Nothing new for a writing's turn and what it takes. */
const SETTLED_SECONDS = MIN_SYNC_SECONDS + 2;
/** Of the last ten seconds, the share in which something waited for a processor: less is a quiet computer. */
const CALM_PERCENT = 60;
const LIMIT_MS = { kubeProxies: 150_000, processors: 30_000 } as const;
const LOOK_MS = 2000;
const METRICS = ["curl", "--silent", "--max-time", "5", "http://127.0.0.1:10249/metrics"];

interface IdleState {
  readonly waitedSeconds: number;
  /** kube-proxies that still had something to write when the patience ended. */
  readonly unsettled: readonly string[];
  /** See CALM_PERCENT. */
  readonly pressurePercent: number;
  /** Of the last minute. */
  readonly load: number;
}

/**
 * Waits until every kube-proxy has written its rules, and then until the processors have some time to spare; not for ever,
 * for others may use the computer, too.
 */
export async function waitUntilIdle(cluster: Cluster): Promise<IdleState> {
  const started = performance.now();
  let unsettled = cluster.nodes.map(({ name }) => name);
  while (unsettled.length > 0 && performance.now() - started < LIMIT_MS.kubeProxies) {
    unsettled = await findBusyParts(cluster, unsettled);
    if (unsettled.length > 0) await sleep(LOOK_MS);
  }
  const settled = performance.now();
  while ((await pressure()) > CALM_PERCENT && performance.now() - settled < LIMIT_MS.processors) await sleep(LOOK_MS);
  return {
    waitedSeconds: Math.round((performance.now() - started) / 1000),
    unsettled,
    pressurePercent: Math.round(await pressure()),
    load: Math.round(10 * (loadavg()[0] ?? 0)) / 10,
  };
}

/** As words: what it was like when a thing was measured. */
export function describeIdle({ waitedSeconds, unsettled, pressurePercent, load }: IdleState): string {
  const late = unsettled.length === 0 ? "" : `; ${unsettled.length} kube-proxies still wrote rules`;
  return `after ${waitedSeconds} s of waiting: load ${load}, ${pressurePercent} % of the time something waited for a processor${late}`;
}

async function findBusyParts(cluster: Cluster, nodes: readonly string[]): Promise<string[]> {
  const late: string[] = [];
  for (const node of nodes) {
    const { stdout } = await cluster.exec(node, METRICS);
    if (!hasSettled(stdout, Date.now() / 1000, SETTLED_SECONDS)) late.push(node);
  }
  return late;
}

/** `some avg10=12.34 avg60=…` of the kernel's pressure stall information; 0 where it keeps none. */
async function pressure(): Promise<number> {
  const text = await readFile("/proc/pressure/cpu", "utf8").catch(() => "");
  return Number(/^some avg10=([\d.]+)/m.exec(text)?.[1] ?? 0);
}
