import type { NamespaceSnapshot, TraceSnapshot } from "../snapshot.ts";

/** A pod that does not use the host's network. */
export interface PodName {
  /** `namespace/name` */
  readonly name: string;
  readonly addresses: readonly string[];
}

/**
 * Merges the snapshots of nodes, and names pods as in the cluster. A namespace whose addresses no pod has keeps the name of its
 * file.
 *
 * @param snapshots at least one, each of one node
 * @param pods pods of the cluster that do not use the host's network
 */
export function mergeSnapshots(snapshots: readonly TraceSnapshot[], pods: readonly PodName[]): TraceSnapshot {
  const [first, ...others] = snapshots;
  if (first === undefined) throw new Error("cannot trace without a snapshot: no node was read. Does an agent run?");
  const names = new Map(pods.flatMap(({ name, addresses }) => addresses.map((address) => [address, name] as const)));
  const rename = (namespace: NamespaceSnapshot): NamespaceSnapshot => {
    if (namespace.kind !== "pod") return namespace;
    const name = namespace.addresses.map(({ address }) => names.get(address)).find((podName) => podName !== undefined);
    return name === undefined ? namespace : { ...namespace, name };
  };
  return { ...first, namespaces: [first, ...others].flatMap(({ namespaces }) => namespaces.map(rename)) };
}
