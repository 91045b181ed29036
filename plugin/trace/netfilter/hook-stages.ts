import type { Family } from "../../datapath/address.ts";
import type { Hook } from "../hook.ts";
import type { BaseChain } from "./model/ruleset.ts";

/** One callback of a hook. */
export type Stage =
  | { readonly kind: "conntrack" }
  | { readonly kind: "chain"; readonly base: BaseChain }
  /** All nat chains of the hook: the kernel calls them together at the nat priority, ordered by their own priorities. */
  | { readonly kind: "nat"; readonly bases: readonly BaseChain[] };

/** NF_IP_PRI_CONNTRACK */
const CONNTRACK_PRIORITY = -200;
/** NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC. */
const NAT_PRIORITIES: Partial<Record<Hook, number>> = { prerouting: -100, output: -100, input: 100, postrouting: 100 };

/**
 * Orders the stages of a hook for packets of a family: base chains, conntrack and address translation.
 *
 * @param bases Base chains of the namespace, in the order in which they were registered if that is known.
 * @returns Stages in the order in which the kernel calls them.
 */
export function orderStages(bases: readonly BaseChain[], hook: Hook, family: Family): readonly Stage[] {
  const sorted = bases
    .filter((base) => base.hook === hook && includesFamily(base, family))
    // nf_hook_entries_grow: among equal priorities, the kernel calls the last registered chain first
    .reverse()
    .sort((first, second) => first.priority - second.priority);
  const stages: { readonly priority: number; readonly stage: Stage }[] = sorted
    .filter(({ type }) => type !== "nat")
    .map((base) => ({ priority: base.priority, stage: { kind: "chain", base } }));
  if (hook === "prerouting" || hook === "output")
    stages.unshift({ priority: CONNTRACK_PRIORITY, stage: { kind: "conntrack" } });
  const natPriority = NAT_PRIORITIES[hook];
  if (natPriority !== undefined)
    stages.unshift({
      priority: natPriority,
      stage: { kind: "nat", bases: sorted.filter(({ type }) => type === "nat") },
    });
  return stages.sort((first, second) => first.priority - second.priority).map(({ stage }) => stage);
}

function includesFamily({ chain }: BaseChain, family: Family): boolean {
  if (chain.family === "ip") return family === "ipv4";
  if (chain.family === "ip6") return family === "ipv6";
  return true;
}
