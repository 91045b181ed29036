import { type Cidr, containsIp, getFamily, hostCidr, type Ip, parseCidr, parseIp } from "../../datapath/address.ts";
import type { LinkAddress } from "./observations.ts";

/** Link kinds that carry an overlay: their addresses are not on any wire. */
const TUNNELS: ReadonlySet<string> = new Set([
  "vxlan",
  "ipip",
  "sit",
  "gre",
  "gretap",
  "ip6gre",
  "ip6gretap",
  "ip6tnl",
  "geneve",
  "wireguard",
  "tun",
]);
/** Link kinds that can be on the wire. Hardware, which has no kind, can be too. */
const WIRE_KINDS: ReadonlySet<string> = new Set(["vlan", "bond", "team", "macvlan", "macvtap", "ipvlan"]);
const SCOPE_GLOBAL = 0;
const IPV4_LINK_LOCAL = parseCidr("169.254.0.0/16");
const IPV6_LINK_LOCAL = parseCidr("fe80::/10");
const LOOPBACK: readonly Cidr[] = ["127.0.0.0/8", "::1/128"].map(parseCidr);
const LOOPBACK_LINK = "lo";
/** Link to which kube-proxy in IPVS mode adds the addresses of all Services. */
const IPVS_LINK = "kube-ipvs0";

export interface NodeAddresses {
  /** Global addresses of the node's own links that are not its InternalIPs. */
  readonly others: readonly Ip[];
  /** Link-local addresses that the node has for its pods, such as NodeLocal DNSCache's 169.254.20.10. */
  readonly linkLocal: readonly { readonly address: Ip; readonly link: string }[];
  /** Networks of the node's links that are on a wire. */
  readonly wireNetworks: readonly { readonly network: Cidr; readonly link: string }[];
  /** Addresses of these links, InternalIPs included. */
  readonly wireAddresses: readonly Ip[];
}

/**
 * Classifies the addresses of the node's links by their use. Pure.
 * @param internalIps the node's InternalIPs
 * @param wireLinks links that are on a wire whatever their kind: the uplink, and links with an InternalIP or a default route
 */
export function classifyAddresses(
  links: readonly LinkAddress[],
  internalIps: readonly Ip[],
  wireLinks: ReadonlySet<string>,
): NodeAddresses {
  const others = new Set<Ip>();
  const linkLocal = new Map<Ip, string>();
  const wire = new Map<Cidr, string>();
  const wireAddresses = new Set<Ip>();
  for (const link of links) {
    const address = parseIp(link.address);
    if (LOOPBACK.some((network) => containsIp(network, address)) || containsIp(IPV6_LINK_LOCAL, address)) continue;
    if (link.tentative || link.name === IPVS_LINK || TUNNELS.has(link.kind ?? "")) continue;
    const onWire = wireLinks.has(link.name) || isWireKind(link);
    const isHost = link.prefixLength === (getFamily(address) === "ipv4" ? 32 : 128);
    if (containsIp(IPV4_LINK_LOCAL, address)) {
      if (isHost && !isPodEnd(link)) linkLocal.set(address, link.name);
      continue;
    }
    if (link.scope !== SCOPE_GLOBAL) continue;
    // The node's end of a pair may have the pod's gateway; the pod has its own route to it (ptp).
    if (!onWire && isPodEnd(link) && isHost) continue;
    if (!internalIps.includes(address)) others.add(address);
    if (onWire) wireAddresses.add(address);
    if (onWire && !isHost) wire.set(parseCidr(`${address}/${link.prefixLength}`), link.name);
  }
  return {
    others: [...others].sort(),
    linkLocal: [...linkLocal]
      .map(([address, link]) => ({ address, link }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
    wireNetworks: [...wire].map(([network, link]) => ({ network, link })),
    wireAddresses: [...wireAddresses],
  };
}

/** Reports whether a link is the node's end of a pod's veth pair. */
function isPodEnd({ kind, peerElsewhere }: LinkAddress): boolean {
  return kind === "veth" && peerElsewhere;
}

function isWireKind({ name, kind }: LinkAddress): boolean {
  return name !== LOOPBACK_LINK && (kind === undefined || WIRE_KINDS.has(kind));
}

/** Removes the addresses that are inside one of the networks. */
export function excludeCovered(addresses: readonly Ip[], networks: readonly Cidr[]): readonly Ip[] {
  return addresses.filter((address) => !networks.some((network) => containsIp(network, address)));
}

/** Reports whether a network is a single address (/32 or /128). */
export function isHostCidr(cidr: Cidr): boolean {
  return cidr === hostCidr(parseIp(cidr.slice(0, cidr.indexOf("/"))));
}
