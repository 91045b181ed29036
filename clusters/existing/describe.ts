import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { ClusterNode, ClusterSpec, KubeProxy } from "../provider.ts";
import type { ClusterInventory } from "./inventory.ts";
import type { PoolRange } from "./install-interlay.ts";
import type { NodePods } from "./node-pods.ts";

type Node = ClusterInventory["nodes"][number];

/** A node as the suite knows nodes. Pure. */
export function toClusterNode({ name, controlPlane, addresses }: Node): ClusterNode {
  const [address = ""] = addresses;
  const address6 = addresses.slice(1).find((one) => one.includes(":"));
  return {
    name,
    role: controlPlane ? "control-plane" : "worker",
    address,
    ...(address6 === undefined ? {} : { address6 }),
  };
}

/** What the cluster is, in the words of those that the suite makes; what only makers need is empty. Pure. */
export function toClusterSpec(wanted: ClusterSpec, facts: ClusterInventory, kubeProxy: KubeProxy): ClusterSpec {
  const of = (ranges: readonly string[], v6: boolean) => ranges.find((range) => range.includes(":") === v6);
  const overlay4 = of(facts.overlayCidrs, false);
  const overlay6 = of(facts.overlayCidrs, true);
  const service = (v6: boolean): string => of(facts.serviceCidrs, v6) ?? "";
  const none = { underlayCidr: "", nodeRange: "", podRange: "" };
  const common = { ...omitIpv6(wanted), ...none, kubernetes: facts.server, kubeProxy, kubeProxies: [kubeProxy] };
  if (overlay4 === undefined && overlay6 !== undefined)
    return { ...common, overlayCidr: overlay6, serviceCidr: service(true) };
  return {
    ...common,
    overlayCidr: overlay4 ?? "",
    serviceCidr: service(false),
    ...(overlay6 === undefined || service(true) === ""
      ? {}
      : { ipv6: { overlayCidr: overlay6, serviceCidr: service(true), underlayCidr: "", podRange: "" } }),
  };
}

function omitIpv6(spec: ClusterSpec): Omit<ClusterSpec, "ipv6"> {
  const copy: ClusterSpec = { ...spec };
  Reflect.deleteProperty(copy, "ipv6");
  return copy;
}

/** Component versions for the report, as far as images and nodes report them. Pure. */
export function listVersions({ server, nodes, kubeProxy, multus, calicoNode }: ClusterInventory) {
  const tag = (image: string | undefined): string | undefined => /:([^:/]+)$/.exec(image ?? "")?.[1];
  const known = {
    kubernetes: server,
    kubeProxy: kubeProxy?.version,
    calico: tag(calicoNode),
    multus: tag(multus),
    kernel: [...new Set(nodes.map(({ kernel }) => kernel).filter((kernel) => kernel !== ""))].join(", "),
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])),
  );
}

const links = z.array(
  z.object({ addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })).default([]) }),
);
const routes = z.array(z.object({ gateway: z.string().optional() }));

/** Parses `range` into a pool; the subnet comes from the options or the first node's links, the gateway from its routes if inside. */
export async function parsePoolRange(
  range: string,
  subnet: string | undefined,
  workers: readonly string[],
  nodePods: NodePods | string,
): Promise<PoolRange> {
  const [node] = workers;
  if (typeof nodePods === "string" || node === undefined) {
    if (subnet === undefined)
      throw new Error("The nodes cannot be asked for the underlay's subnet: name it with --subnet.");
    return { subnet, ranges: [range] };
  }
  const family = range.includes(":") ? "-6" : "-4";
  const [addresses, defaults] = await Promise.all([
    nodePods.exec(node, ["ip", "-json", family, "address"]),
    nodePods.exec(node, ["ip", "-json", family, "route", "show", "default"]),
  ]);
  const found = subnet ?? findSubnet(range, links.parse(JSON.parse(addresses.stdout)));
  if (found === undefined)
    throw new Error(`No link of ${node} is in the network of ${range}: name the underlay with --subnet.`);
  const gateway = routes
    .parse(JSON.parse(defaults.stdout || "[]"))
    .find(({ gateway }) => cidrContains(gateway, found))?.gateway;
  return { subnet: found, ranges: [range], ...(gateway === undefined ? {} : { gateway }) };
}

/** Of the links' networks the one that `range` is in, in CIDR notation. Pure. */
export function findSubnet(range: string, all: z.infer<typeof links>): string | undefined {
  const [first = ""] = range.split(/[-/]/);
  return all
    .flatMap(({ addr_info }) => addr_info)
    .map(({ local, prefixlen }) => maskAddress(local, prefixlen))
    .find((cidr) => cidrContains(first, cidr) && !/\/(32|128)$/.test(cidr));
}

function maskAddress(address: string, length: number): string {
  const cidr = `${address}/${length}`;
  const network = address.includes(":")
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr);
  return `${network.toString()}/${length}`;
}

function cidrContains(address: string | undefined, cidr: string): boolean {
  if (address === undefined || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const [network, length] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === network.kind() && parsed.match(network, length);
}
