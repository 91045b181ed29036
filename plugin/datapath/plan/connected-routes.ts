import { formatPrefix } from "../../netlink/ip.ts";
import { decodeRoute, encodeRouteDump, RTM_ROUTE } from "../../netlink/route.ts";
import { type Cidr, containsIp, type Family, getFamily, type Ip, parseCidr, parseIp } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { RTPROT_KERNEL } from "../kernel-objects.ts";
import { MAIN_TABLE, type RouteItem } from "../plan-item.ts";

/** A network that the kernel routes by a NIC because the NIC has an address in it. */
export interface ConnectedNetwork {
  readonly network: Cidr;
  /** The route's preferred source; IPv6 has none. */
  readonly source?: Ip;
}

/**
 * Reads the connected routes of one of the pod's NICs. A NIC with a /32 address or without prefix routes has none.
 * @param addresses addresses of the NIC from IPAM; routes of other addresses, such as fe80::/64, are left out
 */
export function readConnectedNetworks(
  pod: NetworkNamespace,
  link: number,
  addresses: readonly Ip[],
): readonly ConnectedNetwork[] {
  const families = new Set<Family>(addresses.map(getFamily));
  return [...families].flatMap((family) =>
    pod.socket
      .dump("connected routes", RTM_ROUTE.get, encodeRouteDump(family, RTPROT_KERNEL))
      .flatMap((message) => decodeRoute(message.payload) ?? [])
      .filter((route) => route.protocol === RTPROT_KERNEL && route.table === MAIN_TABLE && route.link === link)
      .flatMap(({ destination, gateway, source }): readonly ConnectedNetwork[] => {
        if (destination === undefined || gateway !== undefined) return [];
        const network = parseCidr(formatPrefix(destination));
        if (!addresses.some((address) => containsIp(network, address))) return [];
        return [{ network, ...(source === undefined ? {} : { source: parseIp(source) }) }];
      }),
  );
}

/** Plans the connected routes of a NIC as the kernel created them. */
export function planConnectedRoutes(device: string, networks: readonly ConnectedNetwork[]): readonly RouteItem[] {
  return networks.map(({ network, source }) => ({
    kind: "route",
    where: "pod",
    family: getFamily(network),
    destination: network,
    device,
    ...(source === undefined ? {} : { source }),
    table: MAIN_TABLE,
    connected: true,
    reason: `the connected network of ${device}: without this route its neighbours are looked for behind the gateway`,
  }));
}
