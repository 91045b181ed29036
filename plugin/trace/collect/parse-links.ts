import type { z } from "zod";
import type { AddressSnapshot, LinkSnapshot } from "../snapshot.ts";
import type { ipLinks, tcQdiscs } from "./ip-output.ts";

/** A link with a reference to its other end: the peer of a veth, or the lower link of a macvlan or VLAN link. */
export interface ParsedLink {
  readonly link: LinkSnapshot;
  /** Undefined if the link has no other end. */
  readonly otherEnd:
    | {
        readonly index: number;
        /** Id of its namespace (nsid), valid only in the namespace of the link; undefined if both ends are in this namespace. */
        readonly namespace: number | undefined;
      }
    | undefined;
}

/** Flags of `ip address` on which the selection of a source address depends. */
const ADDRESS_FLAGS = ["secondary", "deprecated", "tentative", "dadfailed", "noprefixroute", "temporary"] as const;
/** Names in the snapshot of queueing disciplines that can drop packets or have programs and rules. */
const PROGRAM_QDISCS: Readonly<Record<string, string>> = {
  clsact: "tc clsact",
  ingress: "tc ingress",
  netem: "qdisc netem",
  tbf: "qdisc tbf",
};

/**
 * Converts the links in the output of iproute2.
 *
 * @param links output of `ip -j -d address show`
 * @param qdiscs output of `tc -j qdisc show`
 */
export function parseLinks(links: z.infer<typeof ipLinks>, qdiscs: z.infer<typeof tcQdiscs>): readonly ParsedLink[] {
  return links.map((link) => ({
    link: parseLink(
      link,
      qdiscs.flatMap(({ dev, kind }) => (dev === link.ifname ? (PROGRAM_QDISCS[kind] ?? []) : [])),
    ),
    otherEnd:
      link.link_index === undefined || link.link_index === 0
        ? undefined
        : { index: link.link_index, namespace: link.link_netnsid },
  }));
}

function parseLink(link: z.infer<typeof ipLinks>[number], programs: readonly string[]): LinkSnapshot {
  const { info_kind: kind, info_data: data = {}, info_slave_kind: slave, info_slave_data: port } = link.linkinfo ?? {};
  const hasFlag = (flag: string) => link.flags.includes(flag);
  const remote = data.remote ?? data.remote6 ?? data.group ?? data.group6;
  const local = data.local ?? data.local6;
  return {
    index: link.ifindex,
    name: link.ifname,
    kind: kind ?? (hasFlag("LOOPBACK") ? "loopback" : "device"),
    mac: link.address ?? "",
    mtu: link.mtu,
    up: hasFlag("UP"),
    carrier: hasFlag("LOWER_UP"),
    noArp: hasFlag("NOARP"),
    promiscuous: hasFlag("PROMISC") || (link.promiscuity ?? 0) > 0,
    ...(link.master === undefined ? {} : { master: link.master }),
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
    programs: [...(link.xdp === undefined ? [] : ["xdp"]), ...programs],
  };
}

/** Returns the addresses of `ip -j -d address show`. */
export function parseAddresses(links: z.infer<typeof ipLinks>): AddressSnapshot[] {
  return links.flatMap(({ ifname, addr_info }) =>
    addr_info.flatMap((entry) => {
      const { family, local, address: peer, prefixlen, scope } = entry;
      if (local === undefined || (family !== "inet" && family !== "inet6")) return [];
      return {
        family: family === "inet" ? ("ipv4" as const) : ("ipv6" as const),
        address: local,
        prefixLength: prefixlen,
        link: ifname,
        ...(peer === undefined ? {} : { peer }),
        scope,
        flags: ADDRESS_FLAGS.filter((flag) => entry[flag] === true),
      };
    }),
  );
}
