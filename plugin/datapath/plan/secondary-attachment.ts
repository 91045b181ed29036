import type { Cidr, Ip } from "../address.ts";
import type { RoutingIds } from "./routing-ids.ts";

/** Base of routing table numbers: a NIC's table is this number plus the link's index in the pod. */
export const NIC_TABLE_BASE = 10_000;

/** A pod's link to its node: the overlay's eth0, or veth0 of an underlay pod with another macvlan link. */
export interface NodeLink {
  /** The pod's link. */
  readonly podLink: string;
  readonly podLinkIndex: number;
  readonly podMac: string;
  /** The other end on the node: Calico's `cali…`, or that of Interlay's pair. */
  readonly nodeLink: string;
  readonly nodeMac: string;
  /** The node's addresses on that end, such as ptp's gateway; Calico's ends have none. */
  readonly nodeAddresses: readonly Ip[];
  /** The pod's addresses on that link. */
  readonly addresses: readonly Ip[];
  /** Gateways of the default routes by that link. */
  readonly gateways: readonly Ip[];
}

export interface NicAddress {
  readonly ip: Ip;
  /** The connected network. */
  readonly network: Cidr;
  readonly gateway?: Ip;
}

/** A route that the previous plugin created on this link: macvlan creates the `routes` of a pool. */
export interface NicRoute {
  readonly destination: Cidr | "default";
  /** If undefined, the gateway of the link's address is used; if that is undefined too, the destination is on the link. */
  readonly gateway?: Ip;
}

export interface SecondaryAttachment {
  readonly ifname: string;
  readonly linkIndex: number;
  readonly addresses: readonly NicAddress[];
  /** Undefined in records of earlier versions. */
  readonly routes?: readonly NicRoute[];
  readonly anchor: NodeLink;
  /** Whether the anchor is the overlay's own link, so that the pod's main address is an overlay address. */
  readonly overlay: boolean;
  /** Existing default routes by other links, which those of this link replace; absent if this link gets no default route. */
  readonly defaultInsteadOf?: readonly DefaultRoute[];
  readonly numbers: RoutingIds;
}

export interface DefaultRoute {
  readonly gateway: Ip;
  readonly device: string;
}
