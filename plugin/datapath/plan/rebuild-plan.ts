import { getFamily } from "../address.ts";
import type { Facts } from "../facts.ts";
import { describeItem, MAIN_TABLE, type Plan, type PlanItem, type RouteItem } from "../plan-item.ts";
import { type NicSurvey, buildPlan } from "./build-plan.ts";
import { planRoutesViaNode } from "./node-routes.ts";

interface RebuiltPlan {
  readonly plan: Plan;
  /** Items of the old plan to remove, without items that a new item replaces in the kernel. */
  readonly obsolete: readonly PlanItem[];
}

/**
 * Rebuilds the plan of a running pod from changed facts. Pure.
 *
 * @param attached the record of its attachment; a record of an earlier version has no survey, so only its main table is rebuilt
 * @returns undefined if nothing changes
 */
export function rebuildPlan(
  attached: { readonly plan: Plan; readonly survey?: NicSurvey | undefined },
  facts: Facts,
): RebuiltPlan | undefined {
  const { survey } = attached;
  const plan = survey === undefined ? rebuildMainTable(attached.plan, facts) : buildPlan(facts, survey);
  const lines = plan.items.map(describeItem);
  if (attached.plan.items.map(describeItem).join("\n") === lines.join("\n")) return undefined;
  const kept = new Set(lines);
  const desiredKeys = new Set(plan.items.flatMap(getKernelKeys));
  const isObsolete = (item: PlanItem): boolean =>
    !kept.has(describeItem(item)) && !getKernelKeys(item).some((key) => desiredKeys.has(key));
  return { plan, obsolete: attached.plan.items.filter(isObsolete) };
}

/** Returns the keys of the kernel objects that an item sets: applying an item replaces an item with the same key. */
function getKernelKeys(item: PlanItem): readonly string[] {
  switch (item.kind) {
    case "route":
      return item.connected === true ? [] : [`${item.where} route ${item.family} ${item.destination} ${item.table}`];
    case "neighbour":
      return [`${item.where} neighbour ${item.device} ${item.address}`];
    case "sysctl":
      return [`${item.where} sysctl ${item.path.join(".")}`];
    case "veth":
      return [`pair ${item.node.name}`];
    case "reply-mark":
      return ["reply-mark"];
    case "source-guard":
      return [`guard ${item.device}`];
    default:
      return [];
  }
}

/** Rebuilds the routes via the node in the main table: gateway and link stay, the destinations follow the facts. */
function rebuildMainTable(plan: Plan, facts: Facts): Plan {
  const oldRoutes = plan.items.filter(isRouteViaNode);
  const plannedPaths = new Set<string>();
  const items = plan.items.flatMap((item): readonly PlanItem[] => {
    if (!isRouteViaNode(item)) return [item];
    const { source, device } = item;
    const nodePath = `${getFamily(source)} ${device}`;
    if (plannedPaths.has(nodePath)) return [];
    plannedPaths.add(nodePath);
    const candidates = oldRoutes.filter(
      (route) => getFamily(route.source) === getFamily(source) && route.device === device,
    );
    // The first is the route to the node itself: its destination is the gateway of the others.
    const node = candidates.find((route) => route.gateway !== undefined)?.gateway;
    return node === undefined ? candidates : planRoutesViaNode(facts, { node, device, source }, []);
  });
  return { items };
}

type RouteViaNode = RouteItem & { readonly source: NonNullable<RouteItem["source"]> };

function isRouteViaNode(item: PlanItem): item is RouteViaNode {
  return (
    item.kind === "route" &&
    item.where === "pod" &&
    item.table === MAIN_TABLE &&
    item.source !== undefined &&
    item.connected !== true
  );
}
