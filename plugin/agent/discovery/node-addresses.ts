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
/** Link kinds that can be on the wire, as hardware can, which has none. */
const WIRE_KINDS: ReadonlySet<string> = new Set(["vlan", "bond", "team", "macvlan", "macvtap", "ipvlan"]);
const SCOPE_GLOBAL = 0;
const IPV4_LINK_LOCAL = parseCidr("169.254.0.0/16");
const IPV6_LINK_LOCAL = parseCidr("fe80::/10");
const LOOPBACK: readonly Cidr[] = ["127.0.0.0/8", "::1/128"].map(parseCidr);
const LOOPBACK_LINK = "lo";
/** kube-proxy in IPVS mode puts every address of every Service on it. */
const IPVS_LINK = "kube-ipvs0";

export interface NodeAddresses {
  /** Global addresses of the node's own links that are not its InternalIPs. */
  readonly others: readonly Ip[];
  /** Link-local addresses that the node holds for its pods, as NodeLocal DNSCache's 169.254.20.10. */
  readonly linkLocal: readonly { readonly address: Ip; readonly link: string }[];
  /** Networks of the node's links that are on a wire. */
  readonly wireNetworks: readonly { readonly network: Cidr; readonly link: string }[];
  /** Addresses on those links, InternalIPs included. */
  readonly wireAddresses: readonly Ip[];
}

/**
 * Sorts the addresses of the node's links into what they are for. Pure.
 * @param internal the node's InternalIPs
 * @param wireLinks links that are on a wire whatever their kind: with an InternalIP, the default route or by configuration
 */
export function classifyAddresses(
  links: readonly LinkAddress[],
  internal: readonly Ip[],
  wireLinks: ReadonlySet<string>,
): NodeAddresses {
  const others = new Set<Ip>();
  const linkLocal = new Map<Ip, string>();
  const wire = new Map<Cidr, string>();
  const wireAddresses = new Set<Ip>();
  for (const one of links) {
    const address = parseIp(one.address);
    if (LOOPBACK.some((network) => containsIp(network, address)) || containsIp(IPV6_LINK_LOCAL, address)) continue;
    if (one.tentative || one.name === IPVS_LINK || TUNNELS.has(one.kind ?? "")) continue;
    const onWire = wireLinks.has(one.name) || isWireKind(one);
    const isHost = one.prefixLength === (getFamily(address) === "ipv4" ? 32 : 128);
    if (containsIp(IPV4_LINK_LOCAL, address)) {
      if (isHost && !isPodEnd(one)) linkLocal.set(address, one.name);
      continue;
    }
    if (one.scope !== SCOPE_GLOBAL) continue;
    // The node's end of a pair may have the pod's gateway; the pod has its own route to it (ptp).
    if (!onWire && isPodEnd(one) && isHost) continue;
    if (!internal.includes(address)) others.add(address);
    if (onWire) wireAddresses.add(address);
    if (onWire && !isHost) wire.set(parseCidr(`${address}/${one.prefixLength}`), one.name);
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

function isPodEnd({ kind, peerElsewhere }: LinkAddress): boolean {
  return kind === "veth" && peerElsewhere;
}

function isWireKind({ name, kind }: LinkAddress): boolean {
  return name !== LOOPBACK_LINK && (kind === undefined || WIRE_KINDS.has(kind));
}

/** Leaves out addresses that a route to one of these networks reaches already. */
export function excludeCovered(addresses: readonly Ip[], networks: readonly Cidr[]): readonly Ip[] {
  return addresses.filter((address) => !networks.some((network) => containsIp(network, address)));
}

export function isHostCidr(cidr: Cidr): boolean {
  return cidr === hostCidr(parseIp(cidr.slice(0, cidr.indexOf("/"))));
}
