import type { Environment } from "./environment.ts";
import type { KubeProxy } from "./kube-proxy.ts";

/** The specification of a cluster. */
export interface ClusterSpec {
  readonly name: string;
  /** Number of worker nodes, in addition to the control plane. */
  readonly workers: number;
  /** Version of the control plane and the kubelets, e.g. `v1.29.15` */
  readonly kubernetes: string;
  readonly kubeProxy: KubeProxy;
  /** All kube-proxies that the run will use, so that their images can be loaded in advance. */
  readonly kubeProxies: readonly KubeProxy[];
  readonly overlayCidr: string;
  readonly serviceCidr: string;
  /** Network of the nodes: the underlay. */
  readonly underlayCidr: string;
  /** Range of the underlay for nodes. */
  readonly nodeRange: string;
  /** Range of the underlay for underlay pods. */
  readonly podRange: string;
  /** IPv6 ranges of a dual-stack cluster, whose first family is IPv4; undefined: the cluster has one family. */
  readonly ipv6?: Ipv6Ranges;
  /** Whether the provider may use another underlay if this one is in use. False if the user has named it. */
  readonly underlayMayMove: boolean;
  /** The environment; undefined: the suite's default. */
  readonly environment?: Environment;
  /** Path of the probe program's executable, the content of the image `Cluster.probeImage`. */
  readonly probe: string;
}

/** IPv6 ranges of a dual-stack cluster, named like the IPv4 ranges of `ClusterSpec`. */
export interface Ipv6Ranges {
  readonly overlayCidr: string;
  readonly serviceCidr: string;
  readonly underlayCidr: string;
  readonly podRange: string;
}

/** The suite's default cluster. */
export const DEFAULT_SPEC: Omit<ClusterSpec, "probe"> = {
  name: "interlay",
  workers: 2,
  kubernetes: "v1.29.15",
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  kubeProxies: [],
  overlayCidr: "10.233.64.0/18",
  serviceCidr: "10.233.0.0/18",
  underlayCidr: "10.7.0.0/16",
  nodeRange: "10.7.168.64/26",
  podRange: "10.7.200.0/24",
  underlayMayMove: true,
};
