import type { Allocator } from "../../ipam/allocator/allocator.ts";
import type { AgentMetrics } from "../status/agent-metrics.ts";
import type { ClusterReconciler } from "./cluster-reconciler.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import { writeLog } from "../status/log.ts";
import { readSettings } from "../discovery/observe.ts";
import type { AddressReclaimer } from "../../ipam/reclaim/address-reclaimer.ts";
import { parseSeconds } from "../discovery/settings.ts";

/** Defaults of ConfigMap interlay-config, in seconds. */
const RECLAIM = { after: 10, withoutNode: 600, young: 30 } as const;

/** Objects that the address reclaim needs. */
interface ReclaimDependencies {
  readonly node: string;
  readonly view: ClusterCache;
  readonly allocator: Allocator;
  readonly reclaimer: AddressReclaimer;
  readonly metrics: AgentMetrics;
}

/**
 * Releases addresses whose pod no longer exists.
 * @param nodeIs set on the leader only, which also releases the addresses of deleted nodes
 */
export async function reclaimAddresses(
  { node, view, allocator, reclaimer, metrics }: ReclaimDependencies,
  nodeIs: ClusterReconciler["findNodeState"] | undefined,
): Promise<void> {
  await allocator.sync();
  const settings = readSettings(view);
  const milliseconds = (key: string, otherwise: number): number => 1000 * parseSeconds(settings, node, key, otherwise);
  const lines = await reclaimer.pass(
    {
      afterPod: milliseconds("addressReclaimSeconds", RECLAIM.after),
      withoutNode: milliseconds("addressReclaimWithoutNodeSeconds", RECLAIM.withoutNode),
      young: milliseconds("addressReclaimYoungSeconds", RECLAIM.young),
    },
    nodeIs,
  );
  for (const what of lines) writeLog("info", "address reclaimed", { what });
  metrics.countReclaimed(lines.length);
}
