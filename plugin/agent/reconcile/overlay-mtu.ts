import type { Facts } from "../../datapath/facts.ts";
import { NetworkNamespace } from "../../datapath/kernel.ts";
import type { Link } from "../../netlink/link.ts";
import { TUNNEL_KINDS } from "./overlay-routes.ts";

/** Reads the smallest MTU of the node's tunnels; undefined if the overlay has no tunnel. */
export function readOverlayMtu(): number | undefined {
  const node = new NetworkNamespace();
  try {
    return findSmallestTunnelMtu(node.listLinks());
  } finally {
    node.close();
  }
}

/** Finds the smallest MTU of the tunnels that are up. Pure. */
export function findSmallestTunnelMtu(links: readonly Pick<Link, "kind" | "mtu" | "up">[]): number | undefined {
  const mtus = links.filter(({ kind = "", up }) => up && TUNNEL_KINDS.includes(kind)).map(({ mtu }) => mtu);
  return mtus.length === 0 ? undefined : Math.min(...mtus);
}

/** Adds the overlay's MTU to the facts. */
export function addOverlayMtu(facts: Facts, mtu: number | undefined): Facts {
  return mtu === undefined ? facts : { ...facts, overlayMtu: mtu };
}
