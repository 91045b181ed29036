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
  return routes.map((one): RouteSnapshot => {
    const type = ROUTE_TYPES[Number(one.type) - 1];
    if (type === undefined) throw new Error(`unknown type ${one.type} of the route ${one.dst}`);
    const mtu = one.metrics.map(({ mtu: value }) => value).find((value) => typeof value === "number");
    const hasNexthop = type !== "blackhole" && type !== "unreachable" && type !== "prohibit" && type !== "throw";
    return {
      family,
      type,
      destination: formatPrefix(one.dst, family),
      ...(one.from === undefined ? {} : { from: formatPrefix(one.from, family) }),
      table: Number(one.table),
      scope: Number(one.scope ?? 0),
      protocol: one.protocol ?? "0",
      metric: one.metric,
      tos: Number(one.tos ?? 0),
      ...(one.prefsrc === undefined ? {} : { source: one.prefsrc }),
      ...(mtu === undefined ? {} : { mtu }),
      // IPv6 routes without a next hop have the link lo
      nexthops: hasNexthop ? (one.nexthops ?? [one]).map(parseNexthop) : [],
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
  return rules.map((one): RuleSnapshot => {
    const to = one.dst === undefined ? undefined : formatSelector(one.dst, one.dstlen, family);
    const from = one.src === "all" ? undefined : formatSelector(one.src, one.srclen, family);
    const number = one.ipproto?.replace(/^ipproto-/, "");
    const protocol = number === undefined ? undefined : (PROTOCOLS[number] ?? number);
    const sourcePort = formatPorts(one.sport, one.sport_start, one.sport_end);
    const destinationPort = formatPorts(one.dport, one.dport_start, one.dport_end);
    return {
      family,
      priority: one.priority,
      ...parseAction(one),
      not: one.not !== undefined,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(one.iif === undefined ? {} : { inLink: one.iif }),
      ...(one.oif === undefined ? {} : { outLink: one.oif }),
      ...(one.fwmark === undefined
        ? {}
        : { mark: { value: Number(one.fwmark), mask: Number(one.fwmask ?? 0xffff_ffff) } }),
      ...(one.tos === undefined ? {} : { tos: Number(one.tos) }),
      ...(protocol === undefined ? {} : { ipProtocol: protocol }),
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(destinationPort === undefined ? {} : { destinationPort }),
      ...(one.suppress_prefixlen === undefined ? {} : { suppressPrefixLength: one.suppress_prefixlen }),
      unknown: [
        ...(one.uid_start === undefined ? [] : [`uidrange ${one.uid_start}-${one.uid_end ?? one.uid_start}`]),
        ...(one.l3mdev === undefined ? [] : ["l3mdev"]),
        ...(one.suppress_ifgroup === undefined ? [] : [`suppress_ifgroup ${one.suppress_ifgroup}`]),
      ],
    };
  });
}

function parseAction(one: z.infer<typeof ipRules>[number]): Pick<RuleSnapshot, "action" | "table" | "goto"> {
  if (one.goto !== undefined) return { action: "goto", goto: one.goto };
  if (one.table !== undefined) return { action: "table", table: Number(one.table) };
  return { action: RULE_ACTIONS[Number(one.action)] ?? "nop" };
}

function formatPorts(one?: number, first?: number, last?: number): [number, number] | undefined {
  if (one !== undefined) return [one, one];
  return first === undefined ? undefined : [first, last ?? first];
}

function formatPrefix(text: string, family: Family): string {
  if (text === "default") return ANY[family];
  return text.includes("/") ? text : `${text}/${HOST_LENGTH[family]}`;
}

function formatSelector(address: string, length: number | undefined, family: Family): string {
  return address === "all" ? ANY[family] : `${address}/${length ?? HOST_LENGTH[family]}`;
}
