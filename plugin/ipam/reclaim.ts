/**
 * When an address goes back. It goes back only when its pod is certainly gone: the uid is compared, so a pod of the same
 * name made since is another one; what is not known is no reason.
 */
export interface AddressHolder {
  readonly podUid: string;
  readonly podName: string;
  readonly node: string;
  readonly containerId: string;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string } | undefined;
  readonly conflict?: string | undefined;
  /** Taken beforehand for pods of its node. */
  readonly reserve?: boolean | undefined;
  /** When the object was made, milliseconds since the epoch. */
  readonly created: number;
}

export interface ReclaimState {
  readonly now: number;
  /** What the API server says of the pod: its uid, gone, or not known (it did not answer). */
  readonly pod: { readonly uid: string } | "gone" | "unknown";
  /** Its node's Node object. */
  readonly node: "present" | "gone" | "unknown";
  /** The pod's namespaces and links on its node, as that node's agent sees them; "unknown" to any other agent. */
  readonly sandbox: "present" | "gone" | "unknown";
  /** Of the owner, if it is a StatefulSet: the ordinals that it wants. */
  readonly statefulSet:
    { readonly uid: string; readonly first: number; readonly replicas: number } | "gone" | "unknown";
  /** The pod that is there under that name has another address in this one's place, and not this one. */
  readonly replaced: boolean;
  /** Since when the pod has been seen gone; undefined: since now. */
  readonly goneSince: number | undefined;
}

export interface ReclaimDelays {
  /** An address of a pod that is gone waits so long, in milliseconds: ARP caches of others still have it. */
  readonly afterPod: number;
  /** Where its node cannot be asked, so long: the pod may run on behind a partition. */
  readonly withoutNode: number;
  /** An object younger than this may be in the middle of its ADD. */
  readonly young: number;
}

export type ReclaimDecision =
  | { readonly action: "keep"; readonly reason: string }
  | { readonly action: "wait"; readonly reason: string }
  | { readonly action: "release"; readonly reason: string };

export function decideReclaim(holder: AddressHolder, world: ReclaimState, delays: ReclaimDelays): ReclaimDecision {
  const keep = (reason: string): ReclaimDecision => ({ action: "keep", reason });
  if (holder.conflict !== undefined) return keep("another host answers for it: an operator removes the object");
  if (holder.reserve === true) return decideReserve(world, delays);
  if (world.now - holder.created < delays.young) return keep("its ADD may not have ended yet");
  if (world.pod === "unknown") return keep("the API server does not say whether its pod is there");
  if (world.pod !== "gone" && world.pod.uid === holder.podUid)
    return world.replaced
      ? { action: "release", reason: "its pod has another address in its place" }
      : keep("its pod is there");
  if (holder.owner?.kind === "StatefulSet" && !world.replaced) {
    const kept = findStatefulSetReason(holder, holder.owner.uid, world.statefulSet);
    if (kept !== undefined) return keep(kept);
  }
  if (world.sandbox === "present") return keep("its pod's object is gone, but its container is still there");
  const gone = world.now - (world.goneSince ?? world.now);
  const node = world.sandbox === "gone" || world.node === "gone";
  const delay = node ? delays.afterPod : delays.withoutNode;
  if (world.sandbox === "unknown" && world.node === "unknown" && holder.containerId !== "")
    return { action: "wait", reason: "nothing is known of its node" };
  if (gone < delay)
    return {
      action: "wait",
      reason: `its pod is gone for ${Math.round(gone / 1000)} s of ${Math.round(delay / 1000)} s`,
    };
  return { action: "release", reason: "its pod is gone" };
}

/** Its own node gives it back when it is too much; another does when that node is gone for good, for it may have given it. */
function decideReserve(world: ReclaimState, delays: ReclaimDelays): ReclaimDecision {
  if (world.node !== "gone") return { action: "keep", reason: "it is its node's reserve" };
  const gone = world.now - (world.goneSince ?? world.now);
  return gone < delays.withoutNode
    ? { action: "wait", reason: `its node is gone for ${Math.round(gone / 1000)} s` }
    : { action: "release", reason: "the node whose reserve it was is gone" };
}

function findStatefulSetReason(
  holder: AddressHolder,
  uid: string,
  set: ReclaimState["statefulSet"],
): string | undefined {
  if (set === "unknown") return "the API server does not say whether its StatefulSet is there";
  if (set === "gone" || set.uid !== uid) return undefined;
  const ordinal = Number(/-(\d+)$/.exec(holder.podName)?.[1] ?? Number.NaN);
  return ordinal >= set.first && ordinal < set.first + set.replicas
    ? "its StatefulSet will make the pod again"
    : undefined;
}
