import type { ProviderName } from "../spec/provider-name.ts";

/** An action that a run may take on the clusters of a provider. */
type ProviderCapability =
  /** Clusters are created as specified: control plane, kube-proxies, environment. */
  | "create-clusters"
  /** kube-proxy and the return path may be switched. */
  | "switch-kube-proxy"
  /** Files and processes of the nodes can be reached: captures, the doctor. */
  | "node-files"
  /** Packets with a wrong source may be sent. */
  | "attack"
  /** Nobody else uses the cluster: the run has made every change in it. */
  | "exclusive"
  /** The nodes use the programs of this computer. */
  | "host-programs";

const CREATED: readonly ProviderCapability[] = [
  "create-clusters",
  "switch-kube-proxy",
  "node-files",
  "attack",
  "exclusive",
];

const CAPABILITIES: Readonly<Record<ProviderName, ReadonlySet<ProviderCapability>>> = {
  kind: new Set(CREATED),
  lab: new Set([...CREATED, "host-programs"]),
  existing: new Set(),
};

/** Whether a run may take an action on the clusters of a provider. */
export function hasCapability(provider: ProviderName, capability: ProviderCapability): boolean {
  return CAPABILITIES[provider].has(capability);
}
