import type { LinkSnapshot, NamespaceSnapshot } from "../snapshot.ts";
import type { ParsedLink } from "./parse-links.ts";
import type { CollectedNamespace } from "./read-namespace.ts";

/** Link kinds that have a parent link instead of a peer. */
const CHILD_KINDS = ["macvlan", "macvtap", "ipvlan", "vlan"];

/**
 * Finds the other ends of links: the peer of a veth link, the parent of a macvlan or vlan link. The kernel names them by an index
 * and a number of the namespace that differs between namespaces, so a pair is found by references in both directions.
 *
 * @param states namespaces of one node, the node's own first
 */
export function connectLinks(states: readonly CollectedNamespace[]): NamespaceSnapshot[] {
  return states.map((state) => ({
    ...state.namespace,
    links: state.links.map((parsedLink) => connectLink(parsedLink, state, states)),
  }));
}

function connectLink(
  parsedLink: ParsedLink,
  owner: CollectedNamespace,
  states: readonly CollectedNamespace[],
): LinkSnapshot {
  const { link, otherEnd } = parsedLink;
  if (otherEnd === undefined) return link;
  const isChild = CHILD_KINDS.includes(link.kind);
  if (!isChild && link.kind !== "veth") return link;
  const candidates =
    otherEnd.namespace === undefined
      ? [owner]
      : isChild
        ? findParents(parsedLink, owner, states)
        : states.filter((state) => state !== owner);
  const ends = candidates.flatMap((state) => {
    const end = state.links.find(({ link: { index } }) => index === otherEnd.index);
    if (end === undefined || (!isChild && !isPeer(end, link))) return [];
    return [{ namespace: state.namespace.id, link: end.link.name }];
  });
  const [end] = ends;
  if (end === undefined || ends.length > 1) return link;
  return isChild ? { ...link, parent: end } : { ...link, peer: end };
}

function isPeer({ link: { kind }, otherEnd }: ParsedLink, link: LinkSnapshot): boolean {
  return kind === "veth" && otherEnd?.index === link.index;
}

/** Returns the namespace of a child's parent: that of a veth peer with the same namespace number, else the node's own. */
function findParents(
  { otherEnd }: ParsedLink,
  owner: CollectedNamespace,
  states: readonly CollectedNamespace[],
): readonly CollectedNamespace[] {
  const sibling = owner.links.find(
    (parsedLink) =>
      parsedLink.link.kind === "veth" &&
      parsedLink.otherEnd?.namespace === otherEnd?.namespace &&
      parsedLink.otherEnd !== undefined,
  );
  const peer = sibling && connectLink(sibling, owner, states).peer;
  const peerNamespaces = states.filter(({ namespace }) => namespace.id === peer?.namespace);
  return peerNamespaces.length > 0 ? peerNamespaces : states.slice(0, 1);
}
