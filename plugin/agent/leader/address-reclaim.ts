import type { Allocator } from "../../ipam/allocator.ts";
import type { AgentMetrics } from "../status/agent-metrics.ts";
import type { ClusterDuties } from "./cluster-reconciler.ts";
import type { ClusterView } from "../discovery/cluster-cache.ts";
import { log } from "../status/log.ts";
import { settingsOf } from "../discovery/observe.ts";
import type { Reclaimer } from "./address-reclaimer.ts";
import { seconds } from "../discovery/settings.ts";

/** Defaults of ConfigMap interlay-config, in seconds. */
const RECLAIM = { after: 10, withoutNode: 600, young: 30 } as const;

/** What the duty is done with. */
export interface AddressParts {
  readonly node: string;
  readonly view: ClusterView;
  readonly allocator: Allocator;
  readonly reclaimer: Reclaimer;
  readonly metrics: AgentMetrics;
}

/** Addresses whose pod is gone are given back. @param nodeIs of the leader, who does so for nodes that are gone */
export async function lookAfterAddresses(
  { node, view, allocator, reclaimer, metrics }: AddressParts,
  nodeIs: ClusterDuties["nodeIs"] | undefined,
): Promise<void> {
  await allocator.sync();
  const settings = settingsOf(view);
  const milliseconds = (key: string, otherwise: number): number => 1000 * seconds(settings, node, key, otherwise);
  const lines = await reclaimer.pass(
    {
      afterPod: milliseconds("addressReclaimSeconds", RECLAIM.after),
      withoutNode: milliseconds("addressReclaimWithoutNodeSeconds", RECLAIM.withoutNode),
      young: milliseconds("addressReclaimYoungSeconds", RECLAIM.young),
    },
    nodeIs,
  );
  for (const what of lines) log("info", "address reclaimed", { what });
  metrics.reclaimed(lines.length);
}
