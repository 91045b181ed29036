import type { NamespaceSnapshot, TraceSnapshot } from "../snapshot.ts";

/** A pod with a network namespace of its own. */
export interface PodName {
  /** `namespace/name` */
  readonly name: string;
  readonly addresses: readonly string[];
}

/**
 * Joins the snapshots of nodes, and gives pods the names that the cluster knows them by. A namespace whose addresses no pod
 * has keeps its runtime's name.
 *
 * @param snapshots of one node each, at least one
 * @param pods those of the cluster that are not in their node's network
 */
export function mergeSnapshots(snapshots: readonly TraceSnapshot[], pods: readonly PodName[]): TraceSnapshot {
  const [first, ...others] = snapshots;
  if (first === undefined) throw new Error("cannot trace without a snapshot: no node was read. Does an agent run?");
  const names = new Map(pods.flatMap(({ name, addresses }) => addresses.map((address) => [address, name] as const)));
  const rename = (namespace: NamespaceSnapshot): NamespaceSnapshot => {
    if (namespace.kind !== "pod") return namespace;
    const name = namespace.addresses.map(({ address }) => names.get(address)).find((found) => found !== undefined);
    return name === undefined ? namespace : { ...namespace, name };
  };
  return { ...first, namespaces: [first, ...others].flatMap(({ namespaces }) => namespaces.map(rename)) };
}
