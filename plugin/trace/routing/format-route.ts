import type { NexthopSnapshot, RouteSnapshot, RuleSnapshot } from "../snapshot.ts";
import { TABLE } from "./namespace-state.ts";

const TABLE_NAMES = new Map<number, string>(Object.entries(TABLE).map(([name, number]) => [number, name]));

function formatTable(table: number): string {
  return TABLE_NAMES.get(table) ?? String(table);
}

/** Formats a route as iproute2 does, with the next hop that was used and the table. */
export function formatRoute(route: RouteSnapshot, nexthop?: NexthopSnapshot): string {
  const destination = route.destination.endsWith("/0") ? "default" : route.destination.replace(/\/(32|128)$/, "");
  return [
    ...(route.type === "unicast" ? [] : [route.type]),
    destination,
    ...(route.from === undefined ? [] : ["from", route.from]),
    ...(nexthop?.gateway === undefined ? [] : ["via", nexthop.gateway]),
    ...(nexthop?.link === undefined ? [] : ["dev", nexthop.link]),
    ...(route.source === undefined ? [] : ["src", route.source]),
    ...(route.metric === 0 ? [] : ["metric", route.metric]),
    "table",
    formatTable(route.table),
  ].join(" ");
}

/** Formats a policy rule as `ip rule` does. */
export function formatRule(rule: RuleSnapshot): string {
  const { mark } = rule;
  const parts: readonly (string | number | undefined)[] = [
    `${rule.priority}:`,
    rule.not ? "not" : undefined,
    `from ${rule.from ?? "all"}`,
    rule.to && `to ${rule.to}`,
    mark && `fwmark 0x${mark.value.toString(16)}${mark.mask === 0xffffffff ? "" : `/0x${mark.mask.toString(16)}`}`,
    rule.inLink && `iif ${rule.inLink}`,
    rule.outLink && `oif ${rule.outLink}`,
    rule.ipProtocol && `ipproto ${rule.ipProtocol}`,
    rule.sourcePort && `sport ${rule.sourcePort.join("-")}`,
    rule.destinationPort && `dport ${rule.destinationPort.join("-")}`,
    ...rule.unknown,
    formatAction(rule),
    rule.suppressPrefixLength === undefined ? undefined : `suppress_prefixlength ${rule.suppressPrefixLength}`,
  ];
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

function formatAction(rule: RuleSnapshot): string {
  switch (rule.action) {
    case "table":
      return `lookup ${formatTable(rule.table ?? TABLE.main)}`;
    case "goto":
      return `goto ${rule.goto ?? ""}`;
    default:
      return rule.action;
  }
}
