import type { KubeProxyMode } from "./kube-proxy.ts";

/** The settings of an environment. A missing setting is that of the suite's default cluster. */
export interface EnvironmentSpec {
  readonly kubeProxy?: KubeProxySettings;
  readonly calico?: CalicoSettings;
  readonly nodes?: NodeSettings;
  /** Pod network instead of Calico. */
  readonly overlay?: OverlaySettings;
  /** Topology of the machines; undefined: one network, and one link for each machine. */
  readonly topology?: "racks" | "second-nic";
  /** Return path that Interlay chooses by itself in this environment; the suite does not set one. */
  readonly chosenReturnPath?: "snat";
  /** `thick`: Multus runs as a daemon, and its plugin is a shim. Undefined: Multus is a plugin without a daemon. */
  readonly multus?: "thick";
  /** Address of a DNS cache on every node, for pods' resolv.conf. Undefined: resolv.conf has the address of kube-dns. */
  readonly nodeLocalDns?: string;
  /** Nodes hold the addresses of LoadBalancer Services and external IPs (clusters/lab/load-balancer). */
  readonly loadBalancer?: true;
  /** kube-controller-manager gives every node a podCIDR (`--allocate-node-cidrs`). */
  readonly podCidrs?: true;
  /** Changes of the cluster between the start of pods and the first cell, in their order. */
  readonly beforeCells?: readonly EnvironmentStep[];
}

/** A pod network whose addresses come from the nodes' podCIDRs. */
export type OverlaySettings =
  | { readonly kind: "flannel"; readonly backend: "vxlan" | "host-gw" }
  /** The reference plugins bridge and host-local; every node has routes to the other nodes' podCIDRs. */
  | { readonly kind: "bridge" };

/** Settings of kube-proxy. */
export interface KubeProxySettings {
  /** false: the cluster has neither kube-proxy nor a replacement. */
  readonly installed?: false;
  readonly mode?: KubeProxyMode;
  /** Fields of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) that replace those of the default. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Settings of Calico. */
export interface CalicoSettings {
  /** Settings of Calico's default IP pools. */
  readonly pool?: { readonly natOutgoing?: boolean; readonly vxlan?: "Always" | "CrossSubnet" | "Never" };
  /** `vxlan` by default; `none`: no daemon distributes routes. */
  readonly backend?: "vxlan" | "none";
  /** Prefix of the names of pods' links on the node (FELIX_INTERFACEPREFIX). */
  readonly interfacePrefix?: string;
  /** Additional environment variables of calico-node, like FELIX_WIREGUARDENABLED. */
  readonly env?: Readonly<Record<string, string>>;
  /** Additional IP pools. */
  readonly extraPools?: readonly ExtraPool[];
}

/** An additional IP pool of Calico. */
export interface ExtraPool {
  readonly name: string;
  /** A CIDR, or `underlay` for the CIDR of the cluster's underlay. */
  readonly cidr: string;
  readonly disabled: boolean;
}

/** Settings of nodes. */
export interface NodeSettings {
  /** Sysctls by name, set in the node's network namespace before other programs run there. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Arguments of iptables and ip6tables, run for each family of the cluster before other programs run. */
  readonly iptables?: readonly (readonly string[])[];
  /** MTU of the wire and of the nodes' links on it. */
  readonly mtu?: number;
}

/** A change of the running cluster. */
export type EnvironmentStep =
  | { readonly kind: "create-pool"; readonly pool: ExtraPool }
  | { readonly kind: "delete-pool"; readonly name: string }
  /** Adds routes to every Calico block through its node's address, as an operator or a fabric would. */
  | { readonly kind: "route-blocks" }
  | { readonly kind: "wait"; readonly seconds: number };
