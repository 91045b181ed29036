import { RTM_NEIGHBOUR, encodeNeighbour } from "../../netlink/neighbour.ts";
import { RTM_ROUTE, decodeRoute, encodeRoute, encodeRouteDump } from "../../netlink/route.ts";
import { RTM_RULE, decodeRule, encodeRule, encodeRuleDump } from "../../netlink/rule.ts";
import { type Family, hostCidr } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { NODE_ROUTE_PROTOCOL } from "../kernel-objects.ts";
import { formatPrefix } from "../../netlink/ip.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import type { Plan } from "../plan-item.ts";

/**
 * Removes state of previous pods with the same addresses: Interlay's routes on the node by other links or in other
 * tables, the neighbours pinned on those links, and rules in the pod that select other tables. State that Interlay did not
 * create stays.
 */
export function removeStaleState({ items }: Plan, node: NetworkNamespace, pod: NetworkNamespace): void {
  const routes = items.flatMap((item) => (item.kind === "route" && item.where === "node" ? [item] : []));
  for (const family of collectFamilies(routes)) {
    const desired = new Map<string, { readonly table: number; readonly link: number | undefined }>(
      routes.map((item) => [item.destination, { table: item.table, link: node.findLink(item.device)?.index }]),
    );
    for (const message of node.socket.dump("our routes", RTM_ROUTE.get, encodeRouteDump(family, NODE_ROUTE_PROTOCOL))) {
      const route = decodeRoute(message.payload);
      if (route?.destination === undefined || route.protocol !== NODE_ROUTE_PROTOCOL) continue;
      const destination = formatPrefix(route.destination);
      const desiredRoute = desired.get(destination);
      if (desiredRoute === undefined || (desiredRoute.table === route.table && desiredRoute.link === route.link))
        continue;
      ignoreNotFound(() => {
        node.socket.execute(`stale route to ${destination}`, RTM_ROUTE.del, 0, encodeRoute(route));
      });
      if (route.link !== undefined && desiredRoute.link !== route.link)
        removeNeighbour(route.destination.address, family, route.link, node);
    }
  }

  const rules = items.flatMap((item) =>
    item.kind === "rule" && item.where === "pod" && item.from !== undefined ? [item] : [],
  );
  for (const family of collectFamilies(rules))
    for (const message of pod.socket.dump("rules", RTM_RULE.get, encodeRuleDump(family))) {
      const rule = decodeRule(message.payload);
      if (rule?.from === undefined) continue;
      const from = formatPrefix(rule.from);
      const desiredRule = rules.find((item) => item.from !== undefined && hostCidr(item.from) === from);
      if (desiredRule === undefined || desiredRule.priority !== rule.priority || desiredRule.table === rule.table)
        continue;
      ignoreNotFound(() => {
        pod.socket.execute(`stale rule from ${from}`, RTM_RULE.del, 0, encodeRule(rule));
      });
    }
}

function collectFamilies(items: readonly { readonly family: Family }[]): ReadonlySet<Family> {
  return new Set(items.map(({ family }) => family));
}

/** Removes the neighbour that was pinned with a stale route. */
function removeNeighbour(address: string, family: Family, link: number, node: NetworkNamespace): void {
  ignoreNotFound(() => {
    const body = encodeNeighbour({ family, link, address, mac: "00:00:00:00:00:00", state: 0 });
    node.socket.execute(`stale neighbour ${address}`, RTM_NEIGHBOUR.del, 0, body);
  });
}
