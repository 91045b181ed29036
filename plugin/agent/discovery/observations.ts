import type { RouteSource } from "./service-addresses.ts";

/** A link's address on this node. */
export interface LinkAddress {
  /** The link's name. */
  readonly name: string;
  readonly address: string;
  readonly prefixLength: number;
  /** `veth`, `bridge`, `vxlan`, …; undefined for hardware and the loopback link. */
  readonly kind: string | undefined;
  /** Whether the other end of the link is in another network namespace, as with the veth of a pod. */
  readonly peerElsewhere: boolean;
  /** rt_scope: 0 is global, 253 is link. */
  readonly scope: number;
  /** Whether duplicate address detection has not accepted the address. */
  readonly tentative: boolean;
}

/** Facts from a Node object. */
export interface ObservedNode {
  readonly name: string;
  /** InternalIPs and ExternalIPs. */
  readonly addresses: readonly string[];
  readonly podCidrs: readonly string[];
  /** Arguments of k3s or RKE2, from the Node's annotations. */
  readonly distributionArguments: readonly string[];
}

/** Values as read from their sources, unparsed. `undefined` means that the source does not exist, not that it is empty. */
export interface Observations {
  readonly nodeName: string;
  /** InternalIPs. */
  readonly nodeAddresses: readonly string[];
  /** For example `v1.29.4+k3s1`; empty if unknown. */
  readonly kubeletVersion: string;
  readonly distributionArguments: readonly string[];
  /** Every Node, if the agent watches them (see listNeededKinds); else empty. */
  readonly nodes: readonly ObservedNode[];
  readonly calicoPools:
    readonly { readonly cidr: string; readonly disabled: boolean; readonly natOutgoing?: boolean }[] | undefined;
  /** CIDRs of the IPAM blocks of all nodes, if the agent watches them (see listNeededKinds); else empty. */
  readonly calicoBlocks: readonly string[];
  /** Data of ConfigMap kube-system/cilium-config. */
  readonly cilium: Readonly<Record<string, string>> | undefined;
  /** `net-conf.json` of flannel's ConfigMaps. */
  readonly flannel: readonly string[];
  /** YAML text of kubeadm's ClusterConfiguration. */
  readonly kubeadm: string | undefined;
  /** YAML text of kube-proxy's KubeProxyConfiguration. */
  readonly kubeProxyConfig: string | undefined;
  /** CIDRs of the ServiceCIDR objects. */
  readonly serviceCidrObjects: readonly string[] | undefined;
  /** Cluster IPs of Service default/kubernetes. */
  readonly apiServerAddresses: readonly string[];
  /** External addresses of Services that this node's kube-proxy translates. */
  readonly serviceAddresses: readonly RouteSource[];
  /** Arguments of the API server's and controller manager's static pods. */
  readonly controlPlaneArguments: readonly string[];
  /** UnderlayPools, which describe the underlay. */
  readonly underlayPools: readonly {
    readonly name: string;
    readonly subnet: string;
    readonly ranges: readonly string[];
    readonly gateway?: string | undefined;
  }[];
  readonly links: readonly LinkAddress[];
  /** Links of the main table's default routes. */
  readonly defaultLinks: readonly string[];
  /** Data of ConfigMap interlay-config. */
  readonly settings: Readonly<Record<string, string>>;
}
