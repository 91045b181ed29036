import type { z } from "zod";
import type { AddressSnapshot, LinkSnapshot } from "../snapshot.ts";
import type { ipLinks, tcQdiscs } from "./ip-output.ts";

/** A link, and what the kernel says of its other end: a peer, a parent or a lower link. */
export interface ParsedLink {
  readonly link: LinkSnapshot;
  /** Undefined: the link has no other end. */
  readonly otherEnd:
    | {
        readonly index: number;
        /** Number of its namespace, valid in this namespace alone; undefined: it is in this namespace. */
        readonly namespace: number | undefined;
      }
    | undefined;
}

/** Flags of `ip address` that a source selection asks for. */
const ADDRESS_FLAGS = ["secondary", "deprecated", "tentative", "dadfailed", "noprefixroute", "temporary"] as const;
/** Queueing disciplines to which programs or rules can be attached, or that lose packets. */
const PROGRAM_QDISCS: Readonly<Record<string, string>> = {
  clsact: "tc clsact",
  ingress: "tc ingress",
  netem: "qdisc netem",
  tbf: "qdisc tbf",
};

/** Returns the links of `ip -j -d address show`. @param qdiscs of `tc -j qdisc show` */
export function parseLinks(links: z.infer<typeof ipLinks>, qdiscs: z.infer<typeof tcQdiscs>): readonly ParsedLink[] {
  return links.map((one) => ({
    link: parseLink(
      one,
      qdiscs.flatMap(({ dev, kind }) => (dev === one.ifname ? (PROGRAM_QDISCS[kind] ?? []) : [])),
    ),
    otherEnd:
      one.link_index === undefined || one.link_index === 0
        ? undefined
        : { index: one.link_index, namespace: one.link_netnsid },
  }));
}

function parseLink(one: z.infer<typeof ipLinks>[number], programs: readonly string[]): LinkSnapshot {
  const { info_kind: kind, info_data: data = {}, info_slave_kind: slave, info_slave_data: port } = one.linkinfo ?? {};
  const hasFlag = (flag: string) => one.flags.includes(flag);
  const remote = data.remote ?? data.remote6 ?? data.group ?? data.group6;
  const local = data.local ?? data.local6;
  return {
    index: one.ifindex,
    name: one.ifname,
    kind: kind ?? (hasFlag("LOOPBACK") ? "loopback" : "device"),
    mac: one.address ?? "",
    mtu: one.mtu,
    up: hasFlag("UP"),
    carrier: hasFlag("LOWER_UP"),
    noArp: hasFlag("NOARP"),
    promiscuous: hasFlag("PROMISC") || (one.promiscuity ?? 0) > 0,
    ...(one.master === undefined ? {} : { master: one.master }),
    ...(kind === "macvlan" && data.mode !== undefined ? { macvlanMode: data.mode } : {}),
    ...(kind === "vlan" && data.id !== undefined ? { vlanId: data.id } : {}),
    ...(kind === "vxlan"
      ? {
          vxlan: {
            id: data.id ?? 0,
            port: data.port ?? 4789,
            ...(local === undefined ? {} : { local }),
            ...(remote === undefined ? {} : { remote }),
            ...(data.link === undefined ? {} : { link: data.link }),
            learning: data.learning ?? true,
            proxy: data.proxy ?? false,
          },
        }
      : {}),
    ...(kind === "bridge" ? { bridge: { vlanFiltering: (data.vlan_filtering ?? 0) !== 0 } } : {}),
    ...(slave === "bridge" && port !== undefined
      ? {
          bridgePort: {
            state: port.state ?? "forwarding",
            isolated: port.isolated ?? false,
            hairpin: port.hairpin ?? false,
            learning: port.learning ?? true,
          },
        }
      : {}),
    programs: [...(one.xdp === undefined ? [] : ["xdp"]), ...programs],
  };
}

/** Returns the addresses of `ip -j -d address show`. */
export function parseAddresses(links: z.infer<typeof ipLinks>): AddressSnapshot[] {
  return links.flatMap(({ ifname, addr_info }) =>
    addr_info.flatMap((one) => {
      const { family, local, address: peer, prefixlen, scope } = one;
      if (local === undefined || (family !== "inet" && family !== "inet6")) return [];
      return {
        family: family === "inet" ? ("ipv4" as const) : ("ipv6" as const),
        address: local,
        prefixLength: prefixlen,
        link: ifname,
        ...(peer === undefined ? {} : { peer }),
        scope,
        flags: ADDRESS_FLAGS.filter((flag) => one[flag] === true),
      };
    }),
  );
}
