/** Titles of the matrix suite's specs that every certified run must contain. */
export const REQUIRED_CHECKS = {
  podsReady: "every pod is ready: its node reaches it",
  podRoutes: "the pods' `ip route` has the documented lines",
  /** A spec of each variant. */
  nodeFilters: "kube-proxy's INVALID rule and the sysctl are as the gate says, on every node",
} as const;
