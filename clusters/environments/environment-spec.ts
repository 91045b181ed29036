import type { KubeProxyMode } from "../kube-proxy.ts";

/** An environment as data: every part is optional, and a part that is left out is as in the suite's own cluster. */
export interface EnvironmentSpec {
  readonly kubeProxy?: KubeProxySettings;
  readonly calico?: CalicoSettings;
  readonly nodes?: NodeSettings;
  /** The pod network in Calico's place. */
  readonly overlay?: OverlaySettings;
  /** How the machines are cabled; undefined: one network, one link each. */
  readonly topology?: "racks" | "second-nic";
  /** The return path that Interlay chooses there by itself: the suite sets none, whatever it is asked for. */
  readonly chosenReturnPath?: "snat";
  /** `thick`: Multus runs as a daemon, and a shim is the plugin. Undefined: the plugin alone. */
  readonly multus?: "thick";
  /** Address of a DNS cache on every node, which pods' resolv.conf names. Undefined: it names the Service kube-dns. */
  readonly nodeLocalDns?: string;
  /** Nodes hold the addresses of LoadBalancer Services and external IPs (clusters/lab/load-balancer.ts). */
  readonly loadBalancer?: true;
  /** kube-controller-manager gives every node a podCIDR (`--allocate-node-cidrs`). */
  readonly podCidrs?: true;
  /** Changes between the pods' start and the first cell, in this order. */
  readonly beforeCells?: readonly EnvironmentStep[];
}

/** A pod network whose addresses come from the nodes' podCIDRs. */
export type OverlaySettings =
  | { readonly kind: "flannel"; readonly backend: "vxlan" | "host-gw" }
  /** The reference plugins bridge and host-local; every node has routes to the other nodes' podCIDRs. */
  | { readonly kind: "bridge" };

export interface KubeProxySettings {
  /** false: there is no kube-proxy, and nothing that replaces it. */
  readonly installed?: false;
  readonly mode?: KubeProxyMode;
  /** Fields of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) that replace those of the default. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface CalicoSettings {
  /** Settings of the IP pools that Calico makes. */
  readonly pool?: { readonly natOutgoing?: boolean; readonly vxlan?: "Always" | "CrossSubnet" | "Never" };
  /** `vxlan` by default; `none`: no daemon distributes routes. */
  readonly backend?: "vxlan" | "none";
  /** Prefix of the names of pods' links on the node (FELIX_INTERFACEPREFIX). */
  readonly interfacePrefix?: string;
  /** More environment variables of calico-node, like FELIX_WIREGUARDENABLED. */
  readonly env?: Readonly<Record<string, string>>;
  /** More IP pools, made once Calico is there. */
  readonly extraPools?: readonly ExtraPool[];
}

export interface ExtraPool {
  readonly name: string;
  /** A CIDR, or `underlay`: the cluster's own underlay network. */
  readonly cidr: string;
  readonly disabled: boolean;
}

export interface NodeSettings {
  /** Kernel parameters by their sysctl name, set in the node's network namespace before anything else runs there. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Arguments of iptables and ip6tables, run in this order in each family of the cluster before anything else runs. */
  readonly iptables?: readonly (readonly string[])[];
  /** MTU of the wire and of the nodes' links on it. */
  readonly mtu?: number;
}

/** One change to the running cluster. */
export type EnvironmentStep =
  | { readonly kind: "create-pool"; readonly pool: ExtraPool }
  | { readonly kind: "delete-pool"; readonly name: string }
  /** Routes to every Calico block by its node's address, as an operator or a fabric would make them. */
  | { readonly kind: "route-blocks" }
  | { readonly kind: "wait"; readonly seconds: number };
