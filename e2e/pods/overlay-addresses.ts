import { BlockList } from "node:net";
import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getIpFamily, type IpFamily } from "../../clusters/spec/address-ranges.ts";
import type { Addresses } from "./pod-addresses.ts";

/** Addresses that a node has in the overlay. */
export interface OverlayAddresses {
  /** On its tunnel to other nodes; empty for an overlay without encapsulation. */
  readonly tunnel: Addresses;
  /** On the bridge of its own overlay pods; empty where each pod has a link of its own, as with Calico. */
  readonly bridge: Addresses;
  /** The node's first address, which the kernel uses on a link without an address, such as a Calico pod's. */
  readonly first: Addresses;
}

const links = z.array(
  z.object({
    ifname: z.string().optional(),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
    addr_info: z.array(z.object({ local: z.string().optional(), scope: z.string().optional() })).default([]),
  }),
);
const TUNNELS: readonly string[] = ["vxlan", "ipip", "ip6tnl", "geneve", "wireguard", "gre"];

/** Returns the overlay addresses of every node on which programs can run; those of other nodes are not known. */
export async function readOverlayAddresses(cluster: Cluster): Promise<ReadonlyMap<string, OverlayAddresses>> {
  if (cluster.nodeAccess === "none") return new Map();
  const { overlayCidr, ipv6 } = cluster.spec;
  const overlay = [overlayCidr, ipv6?.overlayCidr ?? ""].filter((cidr) => cidr !== "");
  return new Map(
    await Promise.all(
      cluster.nodes.map(async ({ name }) => {
        const { exitCode, stdout, stderr } = await cluster.exec(name, ["ip", "-j", "-d", "address", "show"]);
        if (exitCode !== 0) throw new Error(`cannot read the addresses of node ${name}: ${stderr.trim()}`);
        return [name, parseOverlayAddresses(stdout, overlay)] as const;
      }),
    ),
  );
}

/** Parses `ip -j -d address show`. Pure. @param overlay networks of the overlay */
export function parseOverlayAddresses(listing: string, overlay: readonly string[]): OverlayAddresses {
  const networks = new BlockList();
  for (const cidr of overlay) {
    const [network = "", length = ""] = cidr.split("/");
    networks.addSubnet(network, Number(length), getIpFamily(cidr));
  }
  const firstFound = {
    tunnel: new Map<IpFamily, string>(),
    bridge: new Map<IpFamily, string>(),
    first: new Map<IpFamily, string>(),
  };
  for (const { linkinfo, addr_info } of links.parse(JSON.parse(listing))) {
    for (const { local, scope } of addr_info)
      if (local !== undefined && scope === "global" && !firstFound.first.has(getIpFamily(local)))
        firstFound.first.set(getIpFamily(local), local);
    const kind = TUNNELS.includes(linkinfo?.info_kind ?? "") ? "tunnel" : "bridge";
    if (kind === "bridge" && linkinfo?.info_kind !== "bridge") continue;
    for (const { local, scope } of addr_info)
      if (local !== undefined && scope === "global" && networks.check(local, getIpFamily(local)))
        if (!firstFound[kind].has(getIpFamily(local))) firstFound[kind].set(getIpFamily(local), local);
  }
  return {
    tunnel: Object.fromEntries(firstFound.tunnel),
    bridge: Object.fromEntries(firstFound.bridge),
    first: Object.fromEntries(firstFound.first),
  };
}
