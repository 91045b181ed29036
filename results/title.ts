import type { VariantResult } from "./schema.ts";

/** Properties that identify a variant within a run. */
export type VariantIdentity = Pick<VariantResult, "kubeProxy" | "returnPath" | "environment">;

/** Environment of variants that name none. */
export const DEFAULT_ENVIRONMENT_NAME = "default";

/** Returns `kube-proxy v1.28.15 (iptables), return path liberal`, after the environment unless it is the default. */
export function variantTitle({ kubeProxy, returnPath, environment }: VariantIdentity): string {
  const where =
    environment === undefined || environment === DEFAULT_ENVIRONMENT_NAME ? "" : `environment ${environment}, `;
  return `${where}kube-proxy ${kubeProxy.version} (${kubeProxy.mode}), return path ${returnPath}`;
}

/** Titles of the table's rows. */
export const POD_TYPE_TITLES = { overlay: "Calico", underlay: "Macvlan", "multi-nic": "Calico+Macvlan" } as const;

/** Titles of the table's columns. */
export const TARGET_TITLES = {
  overlay: "Calico",
  underlay: "Macvlan",
  "multi-nic": "Calico+Macvlan",
  "overlay-service": "Calico Service",
  "underlay-service": "Macvlan Service",
  "multi-nic-service": "Calico+Macvlan Service",
} as const;

/** Counts a variant's cells; blocked cells also count as ok or failed. */
export function countCells({ cells }: Pick<VariantResult, "cells">): {
  readonly ok: number;
  readonly failed: number;
  readonly blocked: number;
} {
  const ok = cells.filter((cell) => cell.ok).length;
  return { ok, failed: cells.length - ok, blocked: cells.filter((cell) => cell.expected === "blocked").length };
}

/** Describes kube-proxy's INVALID rule and the conntrack sysctl on the nodes. */
export function describeNodes({ invalidDropRule, tcpBeLiberal }: VariantResult): string {
  if (invalidDropRule === undefined || tcpBeLiberal === undefined) return "rules and sysctls of the nodes not read";
  return `INVALID rule ${invalidDropRule ? "in place" : "left out"}, nf_conntrack_tcp_be_liberal=${tcpBeLiberal}`;
}
