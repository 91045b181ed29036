import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { ClusterNode } from "../provider/provider.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { ClusterInventory } from "./inventory/inventory.ts";
import type { InventoryNode } from "./inventory/read-nodes.ts";
import type { PoolRange } from "./install-interlay.ts";
import type { NodePods } from "./node-pods.ts";

/** Converts a node of the inventory to a node of a Cluster. Pure. */
export function toClusterNode({ name, addresses }: InventoryNode, role: ClusterNode["role"]): ClusterNode {
  const [address = ""] = addresses;
  const address6 = addresses.slice(1).find((candidate) => candidate.includes(":"));
  return {
    name,
    role,
    address,
    ...(address6 === undefined ? {} : { address6 }),
  };
}

/**
 * Returns the spec of an existing cluster. Fields that are only used to create a cluster are empty. Pure.
 *
 * @param requested spec of the run, from which the other fields are taken
 */
export function toClusterSpec(requested: ClusterSpec, inventory: ClusterInventory): ClusterSpec {
  const findRange = (ranges: readonly string[], v6: boolean) => ranges.find((range) => range.includes(":") === v6);
  const overlay4 = findRange(inventory.overlayCidrs, false);
  const overlay6 = findRange(inventory.overlayCidrs, true);
  const findServiceRange = (v6: boolean): string => findRange(inventory.serviceCidrs, v6) ?? "";
  const unused = { underlayCidr: "", nodeRange: "", podRange: "" };
  const common = { ...omitIpv6(requested), ...unused, kubernetes: inventory.server };
  if (overlay4 === undefined && overlay6 !== undefined)
    return { ...common, overlayCidr: overlay6, serviceCidr: findServiceRange(true) };
  return {
    ...common,
    overlayCidr: overlay4 ?? "",
    serviceCidr: findServiceRange(false),
    ...(overlay6 === undefined || findServiceRange(true) === ""
      ? {}
      : { ipv6: { overlayCidr: overlay6, serviceCidr: findServiceRange(true), underlayCidr: "", podRange: "" } }),
  };
}

function omitIpv6(spec: ClusterSpec): Omit<ClusterSpec, "ipv6"> {
  const copy: ClusterSpec = { ...spec };
  Reflect.deleteProperty(copy, "ipv6");
  return copy;
}

/** Returns the versions of components for the report, from tags of images and status of nodes. Unknown versions are left out. Pure. */
export function listVersions({ server, nodes, kubeProxy, multus, overlay }: ClusterInventory) {
  const parseTag = (image: string | undefined): string | undefined => /:([^:/]+)$/.exec(image ?? "")?.[1];
  const versions = {
    kubernetes: server,
    kubeProxy: kubeProxy.kubeProxy?.version,
    ...(overlay === undefined ? {} : { [overlay.name]: parseTag(overlay.image) ?? "unknown" }),
    multus: parseTag(multus),
    kernel: [...new Set(nodes.map(({ kernel }) => kernel).filter((kernel) => kernel !== ""))].join(", "),
  };
  return Object.fromEntries(
    Object.entries(versions).flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])),
  );
}

const links = z.array(
  z.object({ addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })).default([]) }),
);
const routes = z.array(z.object({ gateway: z.string().optional() }));

/**
 * Returns the pool for a range. Its gateway is that of the default route on the first worker, if this is in the subnet.
 *
 * @param subnet subnet of the range; undefined: it is read from the links of the first worker
 * @param nodePods see createNodePods
 * @throws if the subnet cannot be determined
 */
export async function parsePoolRange(
  range: string,
  subnet: string | undefined,
  workers: readonly string[],
  nodePods: NodePods | string,
): Promise<PoolRange> {
  const [node] = workers;
  if (typeof nodePods === "string" || node === undefined) {
    if (subnet === undefined)
      throw new Error("Cannot read the underlay's subnet from the links of the nodes: set --subnet.");
    return { subnet, ranges: [range] };
  }
  const family = range.includes(":") ? "-6" : "-4";
  const [addresses, defaults] = await Promise.all([
    nodePods.exec(node, ["ip", "-json", family, "address"]),
    nodePods.exec(node, ["ip", "-json", family, "route", "show", "default"]),
  ]);
  const poolSubnet = subnet ?? findSubnet(range, links.parse(JSON.parse(addresses.stdout)));
  if (poolSubnet === undefined)
    throw new Error(
      `No link of node ${node} has an address in a network that contains ${range}: set --subnet to the underlay's subnet.`,
    );
  const gateway = routes
    .parse(JSON.parse(defaults.stdout || "[]"))
    .find(({ gateway }) => cidrContains(gateway, poolSubnet))?.gateway;
  return { subnet: poolSubnet, ranges: [range], ...(gateway === undefined ? {} : { gateway }) };
}

/** Returns the network of a link that contains the first address of a range, in CIDR notation. Pure. */
export function findSubnet(range: string, nodeLinks: z.infer<typeof links>): string | undefined {
  const [first = ""] = range.split(/[-/]/);
  return nodeLinks
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
