import type { PodType, Report, TARGETS, VariantResult } from "./schema.ts";

/** Properties that identify a variant within a run. */
export type VariantIdentity = Pick<VariantResult, "kubeProxy" | "returnPath" | "environment">;

/** Environment of variants that name none. */
export const DEFAULT_ENVIRONMENT_NAME = "default";

/** Returns a title such as `kube-proxy v1.28.15 (iptables), return path liberal`, after the environment unless it is the default. */
export function variantTitle({ kubeProxy, returnPath, environment }: VariantIdentity): string {
  const environmentPrefix =
    environment === undefined || environment === DEFAULT_ENVIRONMENT_NAME ? "" : `environment ${environment}, `;
  const proxy = kubeProxy.mode === "none" ? "no kube-proxy" : `kube-proxy ${kubeProxy.version} (${kubeProxy.mode})`;
  return `${environmentPrefix}${proxy}, return path ${returnPath}`;
}

/** Properties of a run that its titles depend on. */
export type RunIdentity = Pick<Report, "versions" | "datapath">;

/** Titles of overlays, by the key of their version in a report. */
const OVERLAY_TITLES: Readonly<Record<string, string>> = {
  calico: "Calico",
  canal: "Canal",
  flannel: "Flannel",
  cilium: "Cilium",
  antrea: "Antrea",
  "kube-router": "kube-router",
  kindnet: "kindnet",
};

/** Returns the title of a report. Interlay is named only if it connects the pods. */
export function getReportTitle({ datapath }: Pick<RunIdentity, "datapath">): string {
  return datapath === "none" ? "Connectivity" : "Interlay connectivity";
}

/** Returns the titles of the table's rows. Networks are named only if the run found out which ones they are. */
export function getPodTypeTitles({ versions, datapath }: RunIdentity): Readonly<Record<PodType, string>> {
  const overlayName = Object.keys(OVERLAY_TITLES).find((name) => versions[name] !== undefined);
  const overlay = OVERLAY_TITLES[overlayName ?? ""] ?? "Overlay";
  const underlay = datapath === "none" ? "Underlay" : "Macvlan";
  return { overlay, underlay, "multi-nic": `${overlay}+${underlay}` };
}

/** Returns the titles of the table's columns. */
export function getTargetTitles(run: RunIdentity): Readonly<Record<(typeof TARGETS)[number], string>> {
  const { overlay, underlay, "multi-nic": multiNic } = getPodTypeTitles(run);
  return {
    overlay,
    underlay,
    "multi-nic": multiNic,
    "overlay-service": `${overlay} Service`,
    "underlay-service": `${underlay} Service`,
    "multi-nic-service": `${multiNic} Service`,
  };
}

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
