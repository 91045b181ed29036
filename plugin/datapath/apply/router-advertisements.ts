import { encodeAddress, IFA_FLAG, RTM_ADDRESS } from "../../netlink/interface-address.ts";
import { decodeRoute, encodeRoute, encodeRouteDump, RTM_ROUTE } from "../../netlink/route.ts";
import { containsIp, parseCidr, parseIp } from "../address.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { RTPROT_KERNEL } from "../kernel-objects.ts";
/** rtm_protocol of routes from router advertisements. */
const RTPROT_RA = 9;
const GLOBAL_SCOPE = 0;

/** Removes the addresses and routes that a NIC took from advertisements between its start and `accept_ra=0`. */
export function removeAdvertisedState(device: string, pod: NetworkNamespace): void {
  const link = pod.findLink(device)?.index;
  if (link === undefined) return;
  const own = pod.listAddresses().filter((one) => one.index === link && one.family === "ipv6");
  const isStatic = ({ flags = 0 }: { readonly flags?: number }): boolean => (flags & IFA_FLAG.permanent) !== 0;
  const advertised = own.filter((one) => one.scope === GLOBAL_SCOPE && !isStatic(one));
  for (const one of advertised)
    ignoreNotFound(() => {
      pod.socket.execute(`advertised address ${one.address}`, RTM_ADDRESS.del, 0, encodeAddress(one));
    });
  const networks = advertised
    .map(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`))
    .filter((network) => !own.some((one) => isStatic(one) && containsIp(network, parseIp(one.address))));
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
