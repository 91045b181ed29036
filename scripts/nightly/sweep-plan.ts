import { isSkewSupported, parseMinor } from "../../clusters/kubernetes/version-skew.ts";
import type { KubeProxyMode } from "../../clusters/provider.ts";

/** One kube-proxy in one mode. */
export interface SweepEntry {
  readonly version: string;
  readonly mode: KubeProxyMode;
}

export interface SweepGroup {
  /** The control plane that all of these may run with. */
  readonly kubernetes: string;
  readonly entries: readonly SweepEntry[];
}

export interface LeftOut extends SweepEntry {
  readonly reason: string;
}

export interface SweepPlan {
  readonly groups: readonly SweepGroup[];
  readonly leftOut: readonly LeftOut[];
}

const MODES: readonly KubeProxyMode[] = ["iptables", "nftables"];
/** nftables came as alpha with v1.29. */
const FIRST_NFTABLES = 29;

/** Which control plane each kube-proxy runs with: the oldest that may. Nothing is left out without a reason. Pure. */
export function planSweep(versions: readonly string[], controlPlanes: readonly string[]): SweepPlan {
  const groups = new Map<string, SweepEntry[]>();
  const leftOut: LeftOut[] = [];
  const planes = [...controlPlanes].sort((a, b) => parseMinor(a) - parseMinor(b));
  for (const version of versions)
    for (const mode of MODES) {
      const entry = { version, mode };
      const plane = planes.find((candidate) => isSkewSupported(version, candidate));
      if (mode === "nftables" && parseMinor(version) < FIRST_NFTABLES)
        leftOut.push({ ...entry, reason: `kube-proxy has no nftables mode before v1.${FIRST_NFTABLES}` });
      else if (plane === undefined)
        leftOut.push({
          ...entry,
          reason: `no control plane of ${planes.join(", ")} is within the version skew policy`,
        });
      else groups.set(plane, [...(groups.get(plane) ?? []), entry]);
    }
  return { groups: [...groups].map(([kubernetes, entries]) => ({ kubernetes, entries })), leftOut };
}
