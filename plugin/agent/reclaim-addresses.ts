import type { Allocator } from "../ipam/allocator/allocator.ts";
import type { AddressReclaimer } from "../ipam/reclaim/address-reclaimer.ts";
import type { ReclaimDelays } from "../ipam/reclaim/decide-reclaim.ts";
import type { ClusterCache } from "./discovery/cluster-cache.ts";
import { readSettings } from "./discovery/observe.ts";
import { parseSeconds } from "./discovery/config-map-settings.ts";
import { writeLog } from "./status/agent-log.ts";

/** Defaults of ConfigMap interlay-config, in seconds. */
const RECLAIM = { after: 10, withoutNode: 600, young: 30 } as const;

/** Objects that the address reclaim needs. */
interface ReclaimDependencies {
  readonly node: string;
  readonly cache: ClusterCache;
  readonly allocator: Allocator;
  readonly reclaimer: AddressReclaimer;
  readonly metrics: ReclaimCounter;
}

interface ReclaimCounter {
  /** Adds to the number of released addresses. */
  countReclaimed(count: number): void;
}

/** Releases this node's addresses whose pod no longer exists. */
export async function reclaimAddresses({
  node,
  cache,
  allocator,
  reclaimer,
  metrics,
}: ReclaimDependencies): Promise<void> {
  await allocator.sync();
  const report = createReclaimReporter(metrics);
  report(await reclaimer.reclaimAddresses(readReclaimDelays(readSettings(cache), node)));
}

/** Reads the delays of the reclaim from ConfigMap interlay-config. */
export function readReclaimDelays(settings: Readonly<Record<string, string>>, node: string): ReclaimDelays {
  const milliseconds = (key: string, defaultSeconds: number): number =>
    1000 * parseSeconds(settings, node, key, defaultSeconds);
  return {
    afterPod: milliseconds("addressReclaimSeconds", RECLAIM.after),
    withoutNode: milliseconds("addressReclaimWithoutNodeSeconds", RECLAIM.withoutNode),
    young: milliseconds("addressReclaimYoungSeconds", RECLAIM.young),
  };
}

/** Returns a function that logs and counts released addresses. */
export function createReclaimReporter(metrics: ReclaimCounter): (released: readonly string[]) => void {
  return (released) => {
    for (const address of released) writeLog("info", "address reclaimed", { what: address });
    metrics.countReclaimed(released.length);
  };
}
