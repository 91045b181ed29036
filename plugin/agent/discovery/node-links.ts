import { decodeAddress, encodeAddressDump, IFA_FLAG, RTM_ADDRESS } from "../../netlink/interface-address.ts";
import { decodeLink, encodeLinkName, RTM_LINK } from "../../netlink/link.ts";
import { decodeRoute, encodeRouteDump, isDefaultRoute, RTM_ROUTE } from "../../netlink/route.ts";
import { NetlinkSocket } from "../../netlink/socket.ts";
import { MAIN_TABLE } from "../../datapath/plan-item.ts";
import type { Observations } from "./observations.ts";

/** Reads the addresses of the node's links and the links of its default routes, by netlink. */
export function observeLinks(): Pick<Observations, "links" | "defaultLinks"> {
  const socket = NetlinkSocket.open();
  try {
    const byIndex = new Map(
      socket
        .dump("links", RTM_LINK.get, encodeLinkName())
        .map((message) => decodeLink(message.payload))
        .map((link) => [link.index, link]),
    );
    const findName = (index: number | undefined): readonly string[] => {
      const name = index === undefined ? undefined : byIndex.get(index)?.name;
      return name === undefined ? [] : [name];
    };
    return {
      links: socket
        .dump("addresses", RTM_ADDRESS.get, encodeAddressDump())
        .flatMap((message) => decodeAddress(message.payload) ?? [])
        .flatMap(({ index, address, prefixLength, scope, flags = 0 }) => {
          const link = byIndex.get(index);
          if (link === undefined) return [];
          const { name, kind, linkNetnsid } = link;
          const tentative = (flags & (IFA_FLAG.tentative | IFA_FLAG.dadFailed)) !== 0;
          return [{ name, kind, peerElsewhere: linkNetnsid !== undefined, address, prefixLength, scope, tentative }];
        }),
      defaultLinks: (["ipv4", "ipv6"] as const).flatMap((family) =>
        socket
          .dump("routes", RTM_ROUTE.get, encodeRouteDump(family))
          // There may be many thousand routes: only default routes are decoded.
          .flatMap(({ payload }) => (isDefaultRoute(payload) ? (decodeRoute(payload) ?? []) : []))
          .filter((route) => route.table === MAIN_TABLE)
          .flatMap((route) => findName(route.link)),
      ),
    };
  } finally {
    socket.close();
  }
}
