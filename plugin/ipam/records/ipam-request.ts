/** Request for the addresses of one NIC. */
export interface IpamRequest {
  readonly containerId: string;
  readonly ifname: string;
  /** The network's name in the conflist. */
  readonly network: string;
  /** Path of the network namespace; the container exists as long as this file does. */
  readonly netns: string;
  /** UnderlayPools to use; empty: those whose selectors match. */
  readonly pools: readonly string[];
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
}

/** Addresses of one NIC. */
export interface IpamResult {
  readonly ips: readonly { readonly address: string; readonly gateway?: string | undefined }[];
  readonly routes: readonly { readonly dst: string; readonly gw?: string | undefined }[];
  /** NIC with the default route, by the pod's annotation; for the chained plugin. */
  readonly defaultRouteNic?: string;
}
