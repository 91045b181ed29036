export type KubeProxyMode = "iptables" | "nftables";

/** A kube-proxy as an installation of one version in one mode. */
export interface KubeProxy {
  /** e.g. `v1.28.15` */
  readonly version: string;
  readonly mode: KubeProxyMode;
}
