import { z } from "zod";

/** Version of the snapshot's format; a snapshot with another version is refused. */
export const SNAPSHOT_VERSION = 1;

const family = z.enum(["ipv4", "ipv6"]);

const link = z.object({
  index: z.int(),
  name: z.string(),
  /** `loopback`, `veth`, `macvlan`, `vxlan`, `bridge`, … as `ip -d link` names it; `device` for hardware. */
  kind: z.string(),
  mac: z.string(),
  mtu: z.int(),
  /** IFF_UP. */
  up: z.boolean(),
  /** IFF_LOWER_UP; false for a veth whose peer is down. */
  carrier: z.boolean(),
  /** IFF_NOARP: the link resolves no neighbours. */
  noArp: z.boolean().default(false),
  promiscuous: z.boolean().default(false),
  /** Other end of a veth pair: id of its namespace (undefined if that namespace is not in the snapshot) and its name there. */
  peer: z.object({ namespace: z.string(), link: z.string() }).optional(),
  /** Parent of a macvlan or vlan link: id of its namespace and its name there. */
  parent: z.object({ namespace: z.string(), link: z.string() }).optional(),
  /** Name of the bridge, bond or VRF that this link belongs to. */
  master: z.string().optional(),
  /** `bridge`, `private`, `vepa`, `passthru` or `source`. */
  macvlanMode: z.string().optional(),
  vlanId: z.int().optional(),
  vxlan: z
    .object({
      id: z.int(),
      port: z.int(),
      local: z.string().optional(),
      /** Remote or multicast group of every frame that no fdb entry covers. */
      remote: z.string().optional(),
      /** Underlay link. */
      link: z.string().optional(),
      learning: z.boolean(),
      /** Answers ARP from the neighbour table. */
      proxy: z.boolean().default(false),
    })
    .optional(),
  bridge: z.object({ vlanFiltering: z.boolean() }).optional(),
  bridgePort: z
    .object({ state: z.string(), isolated: z.boolean(), hairpin: z.boolean(), learning: z.boolean() })
    .optional(),
  /** Programs and queueing disciplines on the link that the model does not support: `xdp`, `tc ingress`, `tc egress`, a lossy qdisc. */
  programs: z.array(z.string()).default([]),
});
export type LinkSnapshot = Readonly<z.infer<typeof link>>;

const address = z.object({
  family,
  address: z.string(),
  prefixLength: z.int(),
  link: z.string(),
  /** Remote end of a point-to-point link. */
  peer: z.string().optional(),
  /** `global`, `link` or `host`. */
  scope: z.string(),
  /** `secondary`, `deprecated`, `tentative`, `dadfailed`, `noprefixroute`, … */
  flags: z.array(z.string()),
});
export type AddressSnapshot = Readonly<z.infer<typeof address>>;

const nexthop = z.object({
  link: z.string().optional(),
  gateway: z.string().optional(),
  weight: z.int().default(1),
  /** `onlink`, `dead`, `linkdown`, … */
  flags: z.array(z.string()).default([]),
});
export type NexthopSnapshot = Readonly<z.infer<typeof nexthop>>;

/** Types of routes, the first with number 1 (rtnetlink(7), RTN_*). */
export const ROUTE_TYPES = [
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
  "throw",
  "nat",
] as const;

const route = z.object({
  family,
  type: z.enum(ROUTE_TYPES),
  /** CIDR; 0.0.0.0/0 or ::/0 for a default route. */
  destination: z.string(),
  /** CIDR of the sources that the route is for (IPv6 only). */
  from: z.string().optional(),
  table: z.int(),
  /** rtm_scope: 0 universe, 253 link, 254 host. */
  scope: z.int(),
  protocol: z.string(),
  metric: z.int().default(0),
  tos: z.int().default(0),
  /** Preferred source address. */
  source: z.string().optional(),
  mtu: z.int().optional(),
  /** One per next hop; empty for routes without one (blackhole, …). */
  nexthops: z.array(nexthop),
});
export type RouteSnapshot = Readonly<z.infer<typeof route>>;

const rule = z.object({
  family,
  priority: z.int(),
  action: z.enum(["table", "goto", "nop", "blackhole", "unreachable", "prohibit"]),
  /** Number; with action `table`. */
  table: z.int().optional(),
  /** Priority of the next rule; with action `goto`. */
  goto: z.int().optional(),
  not: z.boolean().default(false),
  from: z.string().optional(),
  to: z.string().optional(),
  inLink: z.string().optional(),
  outLink: z.string().optional(),
  mark: z.object({ value: z.int(), mask: z.int() }).optional(),
  tos: z.int().optional(),
  ipProtocol: z.string().optional(),
  sourcePort: z.tuple([z.int(), z.int()]).optional(),
  destinationPort: z.tuple([z.int(), z.int()]).optional(),
  /** A route with a prefix of at most this length is not used. */
  suppressPrefixLength: z.int().optional(),
  /** Selectors that the model does not know, as `ip rule` prints them; a rule that has one gives `unknown` where it could match. */
  unknown: z.array(z.string()).default([]),
});
export type RuleSnapshot = Readonly<z.infer<typeof rule>>;

const neighbour = z.object({
  family,
  address: z.string(),
  link: z.string(),
  /** Undefined if the neighbour is not resolved. */
  mac: z.string().optional(),
  /** NUD_* names: `PERMANENT`, `REACHABLE`, `STALE`, `FAILED`, … */
  state: z.array(z.string()),
  /** Whether this namespace answers for the address (proxy ARP). */
  proxy: z.boolean().default(false),
});
export type NeighbourSnapshot = Readonly<z.infer<typeof neighbour>>;

const fdbEntry = z.object({
  mac: z.string(),
  link: z.string(),
  /** Remote tunnel end of a VXLAN link. */
  destination: z.string().optional(),
  vlan: z.int().optional(),
  state: z.string().optional(),
});
export type FdbEntrySnapshot = Readonly<z.infer<typeof fdbEntry>>;

const listener = z.object({
  protocol: z.enum(["tcp", "udp"]),
  family,
  /** `0.0.0.0` or `::` for every address; `::` without `v6only` accepts IPv4 too. */
  address: z.string(),
  port: z.int(),
});
export type ListenerSnapshot = Readonly<z.infer<typeof listener>>;

const namespace = z.object({
  /** Unique in the snapshot. */
  id: z.string(),
  /** `switch`: a namespace that joins the nodes' uplinks by a bridge (the lab's, or the Docker host of a kind cluster). */
  kind: z.enum(["node", "pod", "switch"]),
  /** Node name, `namespace/name` of a pod, … */
  name: z.string(),
  /** Id of the node's namespace; pods only. */
  node: z.string().optional(),
  links: z.array(link),
  addresses: z.array(address),
  /** Routes of all tables, `local` included. */
  routes: z.array(route),
  rules: z.array(rule),
  neighbours: z.array(neighbour),
  fdb: z.array(fdbEntry),
  /** Values by path below /proc/sys: `net/ipv4/conf/eth0/rp_filter`. */
  sysctls: z.record(z.string(), z.string()),
  /** The array `nftables` of `nft -j list ruleset`; null if it could not be read. */
  nftables: z.array(z.record(z.string(), z.unknown())).nullable(),
  /** Output of `iptables-nft-save -c`; null if it could not be read. */
  iptables: z.string().nullable(),
  ip6tables: z.string().nullable(),
  /** Output of `iptables-legacy-save -c`; empty if no legacy table is loaded, null if it could not be read. */
  iptablesLegacy: z.string().nullable(),
  ip6tablesLegacy: z.string().nullable(),
  /** Output of `ipset save`; null if it could not be read. */
  ipsets: z.string().nullable(),
  /** Null if conntrack is not loaded. */
  conntrack: z.object({ max: z.int(), count: z.int() }).nullable(),
  /** Sockets that accept connections or datagrams; null if they were not read: then every port counts as open. */
  listeners: z.array(listener).nullable().default(null),
  /** Parts that could not be read, one sentence each. */
  problems: z.array(z.string()).default([]),
});
export type NamespaceSnapshot = Readonly<z.infer<typeof namespace>>;

/** State of every network namespace that a trace may pass: plain JSON without secrets. */
export const traceSnapshot = z.object({
  version: z.literal(SNAPSHOT_VERSION),
  /** RFC 3339. */
  takenAt: z.string(),
  namespaces: z.array(namespace),
});
export type TraceSnapshot = Readonly<z.infer<typeof traceSnapshot>>;

/**
 * Parses a saved snapshot.
 *
 * @param text JSON as `interlay trace --snapshot` writes it
 * @throws an error that names each invalid field
 */
export function parseSnapshot(text: string): TraceSnapshot {
  const result = traceSnapshot.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join(".") || "snapshot"}: ${message}`);
  throw new Error(`invalid trace snapshot: ${issues.join("; ")}`);
}
