/** Features that only some clusters have and some groups of cells need. */
export interface Features {
  /** Pods resolve the names of Services. */
  readonly dns: boolean;
  /** Nodes hold virtual addresses of Services (LoadBalancer, externalIPs). */
  readonly vips: boolean;
  /** The pod networks map host ports (the reference plugin portmap). */
  readonly hostPorts: boolean;
  /** Interlay guards the pods' links: packets with a wrong source are dropped. */
  readonly sourceGuard: boolean;
  /** The nodes' FORWARD chain drops by default, as Docker and firewalld leave it. */
  readonly forwardDrop: boolean;
  /** How the target outside of the cluster that the user names is probed; undefined: the user names none. */
  readonly externalTarget?: "tcp" | "icmp" | undefined;
}

/** Every cluster has at least this. */
export const NO_FEATURES: Features = {
  dns: false,
  vips: false,
  hostPorts: false,
  sourceGuard: false,
  forwardDrop: false,
};
