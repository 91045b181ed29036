import { z } from "zod";

/** Schemas of the output of `ip -j -d` (iproute2), with the fields that a snapshot needs; the JSON is not documented. */

const bit = z.number().optional();
const text = z.string().optional();
const flag = z.boolean().optional();

const linkInfo = z.object({
  info_kind: text,
  info_data: z
    .object({
      mode: text,
      id: z.number().optional(),
      local: text,
      local6: text,
      remote: text,
      remote6: text,
      group: text,
      group6: text,
      link: text,
      port: z.number().optional(),
      learning: flag,
      proxy: flag,
      vlan_filtering: bit,
    })
    .optional(),
  info_slave_kind: text,
  info_slave_data: z.object({ state: text, isolated: flag, hairpin: flag, learning: flag }).optional(),
});

/** `ip -j -d address show` */
export const ipLinks = z.array(
  z.object({
    ifindex: z.number(),
    ifname: z.string(),
    /** Index of the peer, the parent or the lower link, in the namespace `link_netnsid`. */
    link_index: z.number().optional(),
    link_netnsid: z.number().optional(),
    flags: z.array(z.string()),
    promiscuity: z.number().optional(),
    mtu: z.number(),
    master: text,
    address: text,
    xdp: z.unknown().optional(),
    linkinfo: linkInfo.optional(),
    addr_info: z.array(
      z.object({
        family: z.string(),
        local: text,
        /** The other end of a point-to-point address. */
        address: text,
        prefixlen: z.number(),
        scope: z.string(),
        secondary: flag,
        deprecated: flag,
        tentative: flag,
        dadfailed: flag,
        noprefixroute: flag,
        temporary: flag,
      }),
    ),
  }),
);

/** `tc -j qdisc show` */
export const tcQdiscs = z.array(z.object({ kind: z.string(), dev: z.string() }));

const via = z.object({ family: z.string(), host: z.string() });
const routeFlags = z.array(z.string()).default([]);

/** `ip -j -d -N route show table all` */
export const ipRoutes = z.array(
  z.object({
    type: z.string(),
    dst: z.string(),
    from: text,
    tos: text,
    table: z.string().default("254"),
    protocol: text,
    scope: text,
    metric: z.number().default(0),
    prefsrc: text,
    gateway: text,
    via: via.optional(),
    dev: text,
    flags: routeFlags,
    metrics: z.array(z.record(z.string(), z.unknown())).default([]),
    nexthops: z
      .array(
        z.object({
          gateway: text,
          via: via.optional(),
          dev: text,
          weight: z.number().default(1),
          flags: routeFlags,
        }),
      )
      .optional(),
  }),
);

/** `ip -j -d -N rule show` */
export const ipRules = z.array(
  z.object({
    priority: z.number(),
    not: z.null().optional(),
    src: z.string(),
    srclen: z.number().optional(),
    dst: text,
    dstlen: z.number().optional(),
    fwmark: text,
    fwmask: text,
    iif: text,
    oif: text,
    ipproto: text,
    sport: z.number().optional(),
    sport_start: z.number().optional(),
    sport_end: z.number().optional(),
    dport: z.number().optional(),
    dport_start: z.number().optional(),
    dport_end: z.number().optional(),
    tos: text,
    uid_start: z.number().optional(),
    uid_end: z.number().optional(),
    l3mdev: z.null().optional(),
    table: text,
    action: text,
    goto: z.number().optional(),
    suppress_prefixlen: z.number().optional(),
    suppress_ifgroup: text,
  }),
);

/** `ip -j neighbour show` */
export const ipNeighbours = z.array(
  z.object({
    dst: z.string(),
    dev: text,
    lladdr: text,
    state: z.array(z.string()).optional(),
    /** Present in the table of proxied addresses. */
    proxy: z.null().optional(),
  }),
);

/** `bridge -j fdb show` */
export const bridgeFdb = z.array(
  z.object({
    mac: z.string(),
    ifname: z.string(),
    dst: text,
    master: text,
    state: text,
    flags: z.array(z.string()).default([]),
    vlan: z.number().optional(),
  }),
);

/** `nft -j list ruleset`, see libnftables-json(5) */
export const nftOutput = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
