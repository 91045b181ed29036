import type { VariantResult } from "./schema.ts";

/** `kube-proxy v1.28.15 (iptables), return path liberal` */
export function variantTitle({ kubeProxy, returnPath }: Pick<VariantResult, "kubeProxy" | "returnPath">): string {
  return `kube-proxy ${kubeProxy.version} (${kubeProxy.mode}), return path ${returnPath}`;
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
export function nodesSay({ invalidDropRule, tcpBeLiberal }: VariantResult): string {
  if (invalidDropRule === undefined || tcpBeLiberal === undefined) return "rules and sysctls of the nodes not read";
  return `INVALID rule ${invalidDropRule ? "in place" : "left out"}, nf_conntrack_tcp_be_liberal=${tcpBeLiberal}`;
}
