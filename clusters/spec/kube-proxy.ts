/** Modes in which the suite can run a kube-proxy itself. */
export const INSTALLED_MODES = ["iptables", "nftables"] as const;

/** Mode of a cluster's kube-proxy. `none`: the cluster has no kube-proxy. */
export type KubeProxyMode = (typeof INSTALLED_MODES)[number] | "ipvs" | "none";

/** Version and mode of a kube-proxy. */
export interface KubeProxy {
  /** e.g. `v1.28.15`; `none` without kube-proxy. */
  readonly version: string;
  readonly mode: KubeProxyMode;
}

/** A cluster without kube-proxy. */
export const NO_KUBE_PROXY: KubeProxy = { version: "none", mode: "none" };
