import { encodeAddress, IFA_FLAG, RTM_ADDRESS } from "../../netlink/interface-address.ts";
import { decodeRoute, encodeRoute, encodeRouteDump, RTM_ROUTE } from "../../netlink/route.ts";
import { containsIp, parseCidr, parseIp } from "../address.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { RTPROT_KERNEL } from "../kernel-objects.ts";
/** rtm_protocol of routes from router advertisements. */
const RTPROT_RA = 9;
const GLOBAL_SCOPE = 0;

/** Removes the addresses and routes that a NIC accepted from router advertisements before `accept_ra=0` was set. */
export function removeAdvertisedState(device: string, pod: NetworkNamespace): void {
  const link = pod.findLink(device)?.index;
  if (link === undefined) return;
  const nicAddresses = pod.listAddresses().filter((entry) => entry.index === link && entry.family === "ipv6");
  const isStatic = ({ flags = 0 }: { readonly flags?: number }): boolean => (flags & IFA_FLAG.permanent) !== 0;
  const advertised = nicAddresses.filter((entry) => entry.scope === GLOBAL_SCOPE && !isStatic(entry));
  for (const entry of advertised)
    ignoreNotFound(() => {
      pod.socket.execute(`advertised address ${entry.address}`, RTM_ADDRESS.del, 0, encodeAddress(entry));
    });
  const networks = advertised
    .map(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`))
    .filter((network) => !nicAddresses.some((entry) => isStatic(entry) && containsIp(network, parseIp(entry.address))));
  for (const message of pod.socket.dump("IPv6 routes", RTM_ROUTE.get, encodeRouteDump("ipv6"))) {
    const route = decodeRoute(message.payload);
    if (route?.link !== link) continue;
    const { destination, protocol } = route;
    const isPrefix =
      destination !== undefined &&
      networks.some((network) => network === parseCidr(`${destination.address}/${destination.length}`));
    if (protocol !== RTPROT_RA && !(protocol === RTPROT_KERNEL && isPrefix)) continue;
    ignoreNotFound(() => {
      pod.socket.execute("advertised route", RTM_ROUTE.del, 0, encodeRoute(route));
    });
  }
}
