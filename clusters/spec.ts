import ipaddr from "ipaddr.js";
import { type ClusterSpec, DEFAULT_SPEC, type Ipv6Ranges } from "./provider.ts";

export type Underlay = Pick<ClusterSpec, "underlayCidr" | "nodeRange" | "podRange">;

/** DEFAULT_SPEC, on the underlay that `INTERLAY_UNDERLAY` names, if it names one. */
export function createDefaultSpec(env: NodeJS.ProcessEnv = process.env): typeof DEFAULT_SPEC {
  const wanted = env["INTERLAY_UNDERLAY"];
  return wanted === undefined || wanted === ""
    ? DEFAULT_SPEC
    : { ...DEFAULT_SPEC, ...parseUnderlay(wanted), underlayMayMove: false };
}

/** Splits an underlay like the default one: x.y.168.64/26 for nodes, x.y.200.0/24 for pods. Throws unless it is an IPv4 /16. */
export function parseUnderlay(cidr: string): Underlay {
  const [address, length] = ipaddr.IPv4.isValidCIDR(cidr) ? ipaddr.IPv4.parseCIDR(cidr) : [undefined, 0];
  const [a, b, c, d] = address?.octets ?? [];
  if (length !== 16 || c !== 0 || d !== 0)
    throw new Error(`INTERLAY_UNDERLAY=${cidr} is no IPv4 /16: name one that is not in use, like 10.17.0.0/16.`);
  return { underlayCidr: cidr, nodeRange: `${a}.${b}.168.64/26`, podRange: `${a}.${b}.200.0/24` };
}

/** The IPv6 side of a dual-stack cluster on this underlay: unique local prefixes that show the IPv4 ones' numbers. */
export function createIpv6Ranges({ underlayCidr }: Pick<Underlay, "underlayCidr">): Ipv6Ranges {
  const [a, b] = underlayCidr.split(".");
  return {
    overlayCidr: "fd00:10:233:64::/64",
    serviceCidr: "fd00:10:233::/112",
    underlayCidr: `fd00:${a}:${b}::/64`,
    podRange: `fd00:${a}:${b}::200:0/112`,
  };
}

export type IpFamily = "ipv4" | "ipv6";

/** What everything in a cluster has addresses of, the first family first. */
export function listFamilies({ overlayCidr, ipv6 }: Pick<ClusterSpec, "overlayCidr" | "ipv6">): readonly IpFamily[] {
  return ipv6 === undefined ? [getFamily(overlayCidr)] : ["ipv4", "ipv6"];
}

export function getFamily(addressOrCidr: string): IpFamily {
  return addressOrCidr.includes(":") ? "ipv6" : "ipv4";
}

/** `spec` in other address families: with IPv6 beside IPv4, or with IPv6 in its place. */
export function setFamilies<T extends Underlay>(
  spec: T,
  families: "ipv4" | "ipv6" | "dual",
): T & { ipv6?: Ipv6Ranges } {
  if (families === "ipv4") return spec;
  return families === "dual" ? { ...spec, ipv6: createIpv6Ranges(spec) } : { ...spec, ...createIpv6Ranges(spec) };
}

/** The address of an IPv6 /64 that shows an IPv4 one's last two numbers: 10.7.168.70 in fd00:10:7::/64 is fd00:10:7::168:70. */
export function toIpv6Address(underlayCidr: string, ipv4: string): string {
  const [, , c, d] = ipv4.split(".");
  return underlayCidr.replace("::/64", `::${c}:${d}`);
}

/** Ranges of a cluster, as Kubernetes' components are told them. */
export function joinRanges(ipv4: string, ipv6: string | undefined): string {
  return ipv6 === undefined ? ipv4 : `${ipv4},${ipv6}`;
}

/** First address of the underlay: the bridge's own, and so the nodes' and pods' gateway. */
export function getGateway(underlayCidr: string): string {
  const [address = ""] = underlayCidr.split("/");
  return address.includes(":") ? `${address}1` : address.replace(/\.\d+$/, ".1");
}

/** An address as URLs and `address:port` have it (RFC 3986, section 3.2.2). */
export function formatUrlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
