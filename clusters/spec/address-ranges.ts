import ipaddr from "ipaddr.js";
import { type ClusterSpec, DEFAULT_SPEC, type Ipv6Ranges } from "./cluster-spec.ts";

/** The IPv4 ranges of an underlay. */
export type Underlay = Pick<ClusterSpec, "underlayCidr" | "nodeRange" | "podRange">;

/** Returns DEFAULT_SPEC, with the underlay of the variable `INTERLAY_UNDERLAY` if it is set. */
export function createDefaultSpec(env: NodeJS.ProcessEnv = process.env): typeof DEFAULT_SPEC {
  const underlay = env["INTERLAY_UNDERLAY"];
  return underlay === undefined || underlay === ""
    ? DEFAULT_SPEC
    : { ...DEFAULT_SPEC, ...parseUnderlay(underlay), underlayMayMove: false };
}

/** Returns the ranges of an underlay: x.y.168.64/26 for nodes, x.y.200.0/24 for pods. @throws unless it is an IPv4 /16 */
export function parseUnderlay(cidr: string): Underlay {
  const [address, length] = ipaddr.IPv4.isValidCIDR(cidr) ? ipaddr.IPv4.parseCIDR(cidr) : [undefined, 0];
  const [a, b, c, d] = address?.octets ?? [];
  if (length !== 16 || c !== 0 || d !== 0)
    throw new Error(`invalid INTERLAY_UNDERLAY=${cidr}: want an IPv4 /16 that is not in use, like 10.17.0.0/16`);
  return { underlayCidr: cidr, nodeRange: `${a}.${b}.168.64/26`, podRange: `${a}.${b}.200.0/24` };
}

/** Returns the IPv6 ranges of a cluster: unique local prefixes with the numbers of the IPv4 ranges. */
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

/** Returns the address families of a cluster in their order. */
export function listFamilies({ overlayCidr, ipv6 }: Pick<ClusterSpec, "overlayCidr" | "ipv6">): readonly IpFamily[] {
  return ipv6 === undefined ? [getIpFamily(overlayCidr)] : ["ipv4", "ipv6"];
}

/** Returns the family of an address or CIDR. */
export function getIpFamily(addressOrCidr: string): IpFamily {
  return addressOrCidr.includes(":") ? "ipv6" : "ipv4";
}

/** Returns a spec with other address families: `dual` adds IPv6, `ipv6` replaces IPv4. */
export function setFamilies<T extends Underlay>(
  spec: T,
  families: "ipv4" | "ipv6" | "dual",
): T & { ipv6?: Ipv6Ranges } {
  if (families === "ipv4") return spec;
  return families === "dual" ? { ...spec, ipv6: createIpv6Ranges(spec) } : { ...spec, ...createIpv6Ranges(spec) };
}

/** Returns the address in an IPv6 /64 with the last two numbers of an IPv4 address: fd00:10:7::168:70 for 10.7.168.70. */
export function toIpv6Address(underlayCidr: string, ipv4: string): string {
  const [, , c, d] = ipv4.split(".");
  return underlayCidr.replace("::/64", `::${c}:${d}`);
}

/** Joins the ranges of both families for the options of Kubernetes' components. */
export function joinRanges(ipv4: string, ipv6: string | undefined): string {
  return ipv6 === undefined ? ipv4 : `${ipv4},${ipv6}`;
}

/** Returns the first address of the underlay, the gateway of nodes and pods. */
export function getGateway(underlayCidr: string): string {
  const [address = ""] = underlayCidr.split("/");
  return address.includes(":") ? `${address}1` : address.replace(/\.\d+$/, ".1");
}

/** Returns an address for URLs and `ADDRESS:PORT`: IPv6 in brackets (RFC 3986, section 3.2.2). */
export function formatUrlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
