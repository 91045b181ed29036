import type { Cidr, Ip } from "../address.ts";
import type { RoutingIds } from "./routing-ids.ts";

/** The routing table of a NIC is this number plus the link's index in the pod, so that the order of attachment does not matter. */
export const NIC_TABLE_BASE = 10_000;

/** A pod's link to its node: the overlay's eth0, or veth0 of an underlay pod with a second macvlan link. */
export interface NodeLink {
  /** The pod's link. */
  readonly podLink: string;
  readonly podLinkIndex: number;
  readonly podMac: string;
  /** Its other end on the node: `cali…` or ours. */
  readonly nodeLink: string;
  readonly nodeMac: string;
  /** The node's own addresses on that end: ptp's gateway. Calico's ends have none. */
  readonly nodeAddresses: readonly Ip[];
  /** The pod's addresses on that link. */
  readonly addresses: readonly Ip[];
  /** Default routes by that link. */
  readonly gateways: readonly Ip[];
}

export interface NicAddress {
  readonly ip: Ip;
  /** The connected network. */
  readonly network: Cidr;
  readonly gateway?: Ip;
}

/** A route that the previous plugin made by this link: a pool's `routes`, through macvlan. */
export interface NicRoute {
  readonly destination: Cidr | "default";
  /** Undefined: the gateway of the link's address, or on the link itself where that has none. */
  readonly gateway?: Ip;
}

export interface SecondaryAttachment {
  readonly ifname: string;
  readonly linkIndex: number;
  readonly addresses: readonly NicAddress[];
  /** Undefined in records of earlier versions. */
  readonly routes?: readonly NicRoute[];
  readonly anchor: NodeLink;
  /** The anchor is the overlay's own link: the pod's main address is an overlay address. */
  readonly overlay: boolean;
  /** Existing default routes by other links, which this link's replace; absent if this link gets no default route. */
  readonly defaultInsteadOf?: readonly DefaultRoute[];
  readonly numbers: RoutingIds;
}

export interface DefaultRoute {
  readonly gateway: Ip;
  readonly device: string;
}
