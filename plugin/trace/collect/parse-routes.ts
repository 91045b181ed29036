import type { z } from "zod";
import type { Family } from "../../datapath/address.ts";
import { type NexthopSnapshot, ROUTE_TYPES, type RouteSnapshot, type RuleSnapshot } from "../snapshot.ts";
import type { ipRoutes, ipRules } from "./ip-output.ts";

const RULE_ACTIONS: Readonly<Record<number, "blackhole" | "unreachable" | "prohibit">> = {
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
};
/** Names of IP protocols, which `ip -N` prints as numbers. */
const PROTOCOLS: Readonly<Record<string, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp" };
const HOST_LENGTH = { ipv4: 32, ipv6: 128 } as const;
const ANY = { ipv4: "0.0.0.0/0", ipv6: "::/0" } as const;

/** Returns the routes of `ip -j -d -N route show table all`. @throws an error for an unknown type of route */
export function parseRoutes(family: Family, routes: z.infer<typeof ipRoutes>): RouteSnapshot[] {
  return routes.map((route): RouteSnapshot => {
    const type = ROUTE_TYPES[Number(route.type) - 1];
    if (type === undefined) throw new Error(`unknown type ${route.type} of the route ${route.dst}`);
    const mtu = route.metrics.map(({ mtu: value }) => value).find((value) => typeof value === "number");
    const hasNexthop = type !== "blackhole" && type !== "unreachable" && type !== "prohibit" && type !== "throw";
    return {
      family,
      type,
      destination: formatPrefix(route.dst, family),
      ...(route.from === undefined ? {} : { from: formatPrefix(route.from, family) }),
      table: Number(route.table),
      scope: Number(route.scope ?? 0),
      protocol: route.protocol ?? "0",
      metric: route.metric,
      tos: Number(route.tos ?? 0),
      ...(route.prefsrc === undefined ? {} : { source: route.prefsrc }),
      ...(mtu === undefined ? {} : { mtu }),
      // IPv6 routes without a next hop have the link lo
      nexthops: hasNexthop ? (route.nexthops ?? [route]).map(parseNexthop) : [],
    };
  });
}

type Nexthop = Pick<z.infer<typeof ipRoutes>[number], "dev" | "gateway" | "via" | "flags"> & {
  readonly weight?: number | undefined;
};

function parseNexthop({ dev, gateway, via, weight = 1, flags }: Nexthop): NexthopSnapshot {
  const address = gateway ?? via?.host;
  return {
    ...(dev === undefined ? {} : { link: dev }),
    ...(address === undefined ? {} : { gateway: address }),
    weight,
    flags,
  };
}

/** Returns the rules of `ip -j -d -N rule show`. */
export function parseRules(family: Family, rules: z.infer<typeof ipRules>): RuleSnapshot[] {
  return rules.map((rule): RuleSnapshot => {
    const to = rule.dst === undefined ? undefined : formatSelector(rule.dst, rule.dstlen, family);
    const from = rule.src === "all" ? undefined : formatSelector(rule.src, rule.srclen, family);
    const number = rule.ipproto?.replace(/^ipproto-/, "");
    const protocol = number === undefined ? undefined : (PROTOCOLS[number] ?? number);
    const sourcePort = formatPorts(rule.sport, rule.sport_start, rule.sport_end);
    const destinationPort = formatPorts(rule.dport, rule.dport_start, rule.dport_end);
    return {
      family,
      priority: rule.priority,
      ...parseAction(rule),
      not: rule.not !== undefined,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(rule.iif === undefined ? {} : { inLink: rule.iif }),
      ...(rule.oif === undefined ? {} : { outLink: rule.oif }),
      ...(rule.fwmark === undefined
        ? {}
        : { mark: { value: Number(rule.fwmark), mask: Number(rule.fwmask ?? 0xffff_ffff) } }),
      ...(rule.tos === undefined ? {} : { tos: Number(rule.tos) }),
      ...(protocol === undefined ? {} : { ipProtocol: protocol }),
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(destinationPort === undefined ? {} : { destinationPort }),
      ...(rule.suppress_prefixlen === undefined ? {} : { suppressPrefixLength: rule.suppress_prefixlen }),
      unknown: [
        ...(rule.uid_start === undefined ? [] : [`uidrange ${rule.uid_start}-${rule.uid_end ?? rule.uid_start}`]),
        ...(rule.l3mdev === undefined ? [] : ["l3mdev"]),
        ...(rule.suppress_ifgroup === undefined ? [] : [`suppress_ifgroup ${rule.suppress_ifgroup}`]),
      ],
    };
  });
}

function parseAction(rule: z.infer<typeof ipRules>[number]): Pick<RuleSnapshot, "action" | "table" | "goto"> {
  if (rule.goto !== undefined) return { action: "goto", goto: rule.goto };
  if (rule.table !== undefined) return { action: "table", table: Number(rule.table) };
  return { action: RULE_ACTIONS[Number(rule.action)] ?? "nop" };
}

function formatPorts(single?: number, first?: number, last?: number): [number, number] | undefined {
  if (single !== undefined) return [single, single];
  return first === undefined ? undefined : [first, last ?? first];
}

function formatPrefix(text: string, family: Family): string {
  if (text === "default") return ANY[family];
  return text.includes("/") ? text : `${text}/${HOST_LENGTH[family]}`;
}

function formatSelector(address: string, length: number | undefined, family: Family): string {
  return address === "all" ? ANY[family] : `${address}/${length ?? HOST_LENGTH[family]}`;
}
