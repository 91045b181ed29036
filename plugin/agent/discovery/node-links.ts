import { decodeAddress, encodeAddressDump, RTM_ADDRESS } from "../../netlink/address.ts";
import { decodeLink, encodeLinkName, RTM_LINK } from "../../netlink/link.ts";
import { decodeRoute, encodeRouteDump, RTM_ROUTE } from "../../netlink/route.ts";
import { NetlinkSocket } from "../../netlink/socket.ts";
import { MAIN_TABLE } from "../../datapath/plan.ts";
import type { Observations } from "./discover.ts";

/** Which links have which addresses, and which the default routes take; by netlink. */
export function observeLinks(): Pick<Observations, "links" | "defaultLinks"> {
  const socket = NetlinkSocket.open();
  try {
    const names = new Map(
      socket
        .dump("links", RTM_LINK.get, encodeLinkName())
        .map((message) => decodeLink(message.payload))
        .map((link) => [link.index, link.name]),
    );
    const nameOf = (index: number | undefined): readonly string[] => {
      const name = index === undefined ? undefined : names.get(index);
      return name === undefined ? [] : [name];
    };
    return {
      links: socket
        .dump("addresses", RTM_ADDRESS.get, encodeAddressDump())
        .flatMap((message) => decodeAddress(message.payload) ?? [])
        .flatMap(({ index, address }) => nameOf(index).map((name) => ({ name, address }))),
      defaultLinks: (["ipv4", "ipv6"] as const).flatMap((family) =>
        socket
          .dump("routes", RTM_ROUTE.get, encodeRouteDump(family))
          .flatMap((message) => decodeRoute(message.payload) ?? [])
          .filter((route) => route.table === MAIN_TABLE && route.destination === undefined)
          .flatMap((route) => nameOf(route.link)),
      ),
    };
  } finally {
    socket.close();
  }
}
