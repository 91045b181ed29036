import { join } from "node:path";

/** Directory in which Multus looks for the configuration of a NetworkAttachmentDefinition without one. */
const CONFIG_DIRECTORY = "/etc/cni/multus/net.d";
const SHIM = "shim0";
/** Number of nodes for which the ranges suffice. */
const MAX_NODES = 20;

/** Addresses of a cluster's networks, as CIDRs. */
interface Networks {
  readonly underlay: string;
  readonly overlay: string;
  readonly services: string;
}

/** Changes that an administrator makes on one node without Interlay. */
export interface StaticRoutesPlan {
  readonly file: { readonly path: string; readonly content: string };
  readonly commands: readonly (readonly string[])[];
}

/**
 * Plans macvlan with static routes on one node, the usual method without a coexistence solution: the node gets a macvlan link of its
 * own, by which it reaches its pods, and the pods get routes to the overlay, Services and their node by that link. The
 * configuration differs between nodes, so that Multus reads it from a file. Pure.
 *
 * @param network name of the NetworkAttachmentDefinition
 * @param index number of the node, from 0
 * @throws if there are too many nodes for the ranges
 */
export function planStaticRoutes(
  network: string,
  { address, index }: { readonly address: string; readonly index: number },
  { underlay, overlay, services }: Networks,
): StaticRoutesPlan {
  if (index >= MAX_NODES) throw new Error(`static routes are planned for at most ${MAX_NODES} nodes`);
  const prefix = `${underlay.split(".").slice(0, 2).join(".")}.${220 + index}`;
  const [shim, range] = [`${prefix}.1`, `${prefix}.0/24`];
  const routes = [overlay, services, `${address}/32`].map((dst) => ({ dst, gw: shim }));
  const ranges = [[{ subnet: underlay, rangeStart: `${prefix}.10`, rangeEnd: `${prefix}.250` }]];
  const config = {
    cniVersion: "1.0.0",
    name: network,
    type: "macvlan",
    master: "eth0",
    mode: "bridge",
    ipam: { type: "host-local", ranges, routes },
  };
  return {
    // The first file of the directory is that of the overlay.
    file: { path: join(CONFIG_DIRECTORY, `90-${network}.conf`), content: JSON.stringify(config) },
    commands: [
      ["ip", "link", "add", "name", SHIM, "link", "eth0", "type", "macvlan", "mode", "bridge"],
      ["ip", "address", "add", `${shim}/32`, "dev", SHIM],
      ["ip", "link", "set", SHIM, "up"],
      ["ip", "route", "add", range, "dev", SHIM],
    ],
  };
}
