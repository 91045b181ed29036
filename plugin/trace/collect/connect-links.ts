import type { LinkSnapshot, NamespaceSnapshot } from "../snapshot.ts";
import type { ParsedLink } from "./parse-links.ts";
import type { CollectedNamespace } from "./read-namespace.ts";

/** Kinds of links whose other end is their parent. */
const CHILD_KINDS = ["macvlan", "macvtap", "ipvlan", "vlan"];

/**
 * Finds the other ends of links: the peer of a veth link, the parent of a macvlan or vlan link. The kernel names them by an index
 * and a number of the namespace that differs between namespaces, so ends are found by both saying the same of each other.
 *
 * @param states namespaces of one node, its own first
 */
export function connectLinks(states: readonly CollectedNamespace[]): NamespaceSnapshot[] {
  return states.map((state) => ({
    ...state.namespace,
    links: state.links.map((one) => connectLink(one, state, states)),
  }));
}

function connectLink(one: ParsedLink, owner: CollectedNamespace, states: readonly CollectedNamespace[]): LinkSnapshot {
  const { link, otherEnd } = one;
  if (otherEnd === undefined) return link;
  const isChild = CHILD_KINDS.includes(link.kind);
  if (!isChild && link.kind !== "veth") return link;
  const candidates =
    otherEnd.namespace === undefined
      ? [owner]
      : isChild
        ? findParents(one, owner, states)
        : states.filter((s) => s !== owner);
  const found = candidates.flatMap((state) => {
    const end = state.links.find(({ link: { index } }) => index === otherEnd.index);
    if (end === undefined || (!isChild && !isPeer(end, link))) return [];
    return [{ namespace: state.namespace.id, link: end.link.name }];
  });
  const [only] = found;
  if (only === undefined || found.length > 1) return link;
  return isChild ? { ...link, parent: only } : { ...link, peer: only };
}

function isPeer({ link: { kind }, otherEnd }: ParsedLink, other: LinkSnapshot): boolean {
  return kind === "veth" && otherEnd?.index === other.index;
}

/** Returns the namespace of a child's parent: that of the home's veth peer with the same number, else the node's own. */
function findParents(
  { otherEnd }: ParsedLink,
  owner: CollectedNamespace,
  states: readonly CollectedNamespace[],
): readonly CollectedNamespace[] {
  const sibling = owner.links.find(
    (one) => one.link.kind === "veth" && one.otherEnd?.namespace === otherEnd?.namespace && one.otherEnd !== undefined,
  );
  const peer = sibling && connectLink(sibling, owner, states).peer;
  const known = states.filter(({ namespace }) => namespace.id === peer?.namespace);
  return known.length > 0 ? known : states.slice(0, 1);
}
