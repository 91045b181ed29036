import { familyOf } from "./address.ts";
import type { Facts } from "./facts.ts";
import { describeItem, MAIN_TABLE, type Plan, type PlanItem, type RouteItem } from "./plan.ts";
import { routesThroughNode } from "./through-node.ts";

export interface Replan {
  readonly plan: Plan;
  /** What the old plan had and the new one has not. */
  readonly gone: readonly RouteItem[];
}

/**
 * A running pod's plan by facts that have changed since it was wired: a pool added or taken away. Its ways through the
 * node are those it was given, only where they lead to is decided anew. Undefined: nothing changes. Pure.
 */
export function replan(plan: Plan, facts: Facts): Replan | undefined {
  const items: PlanItem[] = [];
  const gone: RouteItem[] = [];
  const old = plan.items.filter(isThroughNode);
  let changed = false;
  let done = new Set<string>();
  for (const item of plan.items) {
    if (!isThroughNode(item)) {
      items.push(item);
      continue;
    }
    const way = `${familyOf(item.source)} ${item.device}`;
    if (done.has(way)) continue;
    done = done.add(way);
    const mine = old.filter((o) => familyOf(o.source) === familyOf(item.source) && o.device === item.device);
    // The first is the route to the node itself: its destination is the gateway of the others.
    const node = mine.find((o) => o.gateway !== undefined)?.gateway;
    const wanted =
      node === undefined ? mine : routesThroughNode(facts, { node, device: item.device, source: item.source });
    const lines = new Set(wanted.map(describeItem));
    gone.push(...mine.filter((o) => !lines.has(describeItem(o))));
    if (mine.map(describeItem).join("\n") !== wanted.map(describeItem).join("\n")) changed = true;
    items.push(...wanted);
  }
  return changed ? { plan: { items }, gone } : undefined;
}

type ThroughNode = RouteItem & { readonly source: NonNullable<RouteItem["source"]> };

function isThroughNode(item: PlanItem): item is ThroughNode {
  return item.kind === "route" && item.where === "pod" && item.table === MAIN_TABLE && item.source !== undefined;
}
