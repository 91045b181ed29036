import type { VariantResult } from "./schema.ts";

/** What identifies a variant within a run. */
export type VariantIdentity = Pick<VariantResult, "kubeProxy" | "returnPath" | "environment">;

/** The environment's name of variants that have none. */
export const DEFAULT_ENVIRONMENT_NAME = "default";

/** `kube-proxy v1.28.15 (iptables), return path liberal`, with the environment where it is not the default one. */
export function variantTitle({ kubeProxy, returnPath, environment }: VariantIdentity): string {
  const where =
    environment === undefined || environment === DEFAULT_ENVIRONMENT_NAME ? "" : `environment ${environment}, `;
  return `${where}kube-proxy ${kubeProxy.version} (${kubeProxy.mode}), return path ${returnPath}`;
}

/** Rows and columns as people call them. */
export const POD_TYPE_TITLES = { overlay: "Calico", underlay: "Macvlan", "multi-nic": "Calico+Macvlan" } as const;

export const TARGET_TITLES = {
  overlay: "Calico",
  underlay: "Macvlan",
  "multi-nic": "Calico+Macvlan",
  "overlay-service": "Calico Service",
  "underlay-service": "Macvlan Service",
  "multi-nic-service": "Calico+Macvlan Service",
} as const;

/** `ok 12, 2 blocked` of a variant's cells. */
export function countCells({ cells }: Pick<VariantResult, "cells">): {
  readonly ok: number;
  readonly failed: number;
  readonly blocked: number;
} {
  const ok = cells.filter((cell) => cell.ok).length;
  return { ok, failed: cells.length - ok, blocked: cells.filter((cell) => cell.expected === "blocked").length };
}

/** What decides about the gate, as the nodes' kernels had it. */
export function describeNodes({ invalidDropRule, tcpBeLiberal }: VariantResult): string {
  if (invalidDropRule === undefined || tcpBeLiberal === undefined) return "rules and sysctls of the nodes not read";
  return `INVALID rule ${invalidDropRule ? "in place" : "left out"}, nf_conntrack_tcp_be_liberal=${tcpBeLiberal}`;
}
