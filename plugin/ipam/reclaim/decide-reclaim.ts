/** The holder of an address, from its UnderlayAddress. */
export interface AddressHolder {
  readonly podUid: string;
  readonly podName: string;
  readonly containerId: string;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string } | undefined;
  readonly conflict?: string | undefined;
  /** Reserved in advance for pods of its node. */
  readonly reserve?: boolean | undefined;
  /** Creation of the object, milliseconds since the epoch. */
  readonly created: number;
}

/** State of the cluster and the node by which it is decided. */
export interface ReclaimState {
  readonly now: number;
  /** The pod according to the API server; "unknown" if it did not answer. */
  readonly pod: { readonly uid: string } | "gone" | "unknown";
  /** The Node object of its node. */
  readonly node: "present" | "gone" | "unknown";
  /** The pod's namespaces and links on its node, as that node's agent sees them; "unknown" to any other agent. */
  readonly sandbox: "present" | "gone" | "unknown";
  /** The owning StatefulSet and its ordinals. */
  readonly statefulSet:
    { readonly uid: string; readonly first: number; readonly replicas: number } | "gone" | "unknown";
  /** The existing pod of that name has another address instead of this one. */
  readonly replaced: boolean;
  /** When the pod was first seen missing, milliseconds since the epoch; undefined: now. */
  readonly goneSince: number | undefined;
}

/** Delays before an address is released. */
export interface ReclaimDelays {
  /** Milliseconds after the pod's deletion: ARP caches of other hosts may still contain the address. */
  readonly afterPod: number;
  /** Milliseconds if the node cannot be asked: the pod may still run behind a partition. */
  readonly withoutNode: number;
  /** Milliseconds: the ADD of a younger object may still be running. */
  readonly young: number;
}

export type ReclaimDecision =
  | { readonly action: "keep"; readonly reason: string }
  | { readonly action: "wait"; readonly reason: string }
  | { readonly action: "release"; readonly reason: string };

/**
 * Decides whether an address is released: only if its pod certainly no longer exists. Pods are compared by uid, so a newer pod of
 * the same name does not count; an unknown state never causes a release. Pure.
 */
export function decideReclaim(holder: AddressHolder, state: ReclaimState, delays: ReclaimDelays): ReclaimDecision {
  const keep = (reason: string): ReclaimDecision => ({ action: "keep", reason });
  if (holder.conflict !== undefined) return keep("another host uses it: an operator must delete the object");
  if (holder.reserve === true) return decideReserve(state, delays);
  if (state.now - holder.created < delays.young) return keep("its ADD may still be running");
  if (state.pod === "unknown") return keep("the API server did not say whether its pod exists");
  if (state.pod !== "gone" && state.pod.uid === holder.podUid)
    return state.replaced
      ? { action: "release", reason: "its pod has another address in its place" }
      : keep("its pod exists");
  if (holder.owner?.kind === "StatefulSet" && !state.replaced) {
    const keepReason = findStatefulSetReason(holder, holder.owner.uid, state.statefulSet);
    if (keepReason !== undefined) return keep(keepReason);
  }
  if (state.sandbox === "present") return keep("its pod was deleted, but its container still exists");
  const missingMs = state.now - (state.goneSince ?? state.now);
  const isStopped = state.sandbox === "gone" || state.node === "gone";
  const delay = isStopped ? delays.afterPod : delays.withoutNode;
  if (state.sandbox === "unknown" && state.node === "unknown" && holder.containerId !== "")
    return { action: "wait", reason: "nothing is known of its node" };
  if (missingMs < delay)
    return {
      action: "wait",
      reason: `its pod was deleted ${Math.round(missingMs / 1000)} s ago; the delay is ${Math.round(delay / 1000)} s`,
    };
  return { action: "release", reason: "its pod was deleted" };
}

/** The node itself releases surplus addresses. Other nodes do so only after the node was deleted for the longer delay. */
function decideReserve(state: ReclaimState, delays: ReclaimDelays): ReclaimDecision {
  if (state.node !== "gone") return { action: "keep", reason: "it is its node's reserve" };
  const missingMs = state.now - (state.goneSince ?? state.now);
  return missingMs < delays.withoutNode
    ? { action: "wait", reason: `its node was deleted ${Math.round(missingMs / 1000)} s ago` }
    : { action: "release", reason: "the node that reserved it was deleted" };
}

function findStatefulSetReason(
  holder: AddressHolder,
  uid: string,
  set: ReclaimState["statefulSet"],
): string | undefined {
  if (set === "unknown") return "the API server did not say whether its StatefulSet exists";
  if (set === "gone" || set.uid !== uid) return undefined;
  const ordinal = Number(/-(\d+)$/.exec(holder.podName)?.[1] ?? Number.NaN);
  return ordinal >= set.first && ordinal < set.first + set.replicas
    ? "its StatefulSet will create the pod again"
    : undefined;
}
