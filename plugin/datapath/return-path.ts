import { type Cidr, familyOf, hostCidr, outermost, parseCidr, parseIp } from "./address.ts";
import { NODE_LINK_PREFIX } from "./names.ts";

/** Our table on the node; nothing else is in it. */
export const NODE_NFT_TABLE = "inet interlay";

/** Links of overlay pods on this node. */
const OVERLAY_LINKS = "cali*";

/**
 * The return path `notrack`: what enters from our pods to an overlay address that lives on another node is not tracked
 * here, so the rest of a connection whose replies take the wire is never INVALID. The target's node sees both
 * directions and keeps its policy. Services are another network and stay tracked.
 *
 * "On another node" is what the routing table says (`fib`), not a list of Calico's blocks: a block that is minutes old
 * is treated rightly from its first packet. One rule a family, whatever the number of pods and networks.
 */
export function notrackRules(overlayCidrs: readonly Cidr[]): string {
  const families = [
    { name: "overlay4", type: "ipv4_addr", protocol: "ip", family: "ipv4" },
    { name: "overlay6", type: "ipv6_addr", protocol: "ip6", family: "ipv6" },
  ].flatMap((f) => {
    // What lies within another network would be refused as overlapping it.
    const elements = outermost(overlayCidrs).filter((cidr) => familyOf(cidr) === f.family);
    return elements.length === 0 ? [] : [{ ...f, elements }];
  });
  const sets = families.map(
    ({ name, type, elements }) =>
      `  set ${name} {\n    type ${type}; flags interval\n    elements = { ${elements.join(", ")} }\n  }\n`,
  );
  const rules = families.map(
    ({ name, protocol }) =>
      `    iifname "${NODE_LINK_PREFIX}*" ${protocol} daddr @${name} fib daddr oifname != "${OVERLAY_LINKS}" counter notrack\n`,
  );
  return `${removeNotrackRules()}table ${NODE_NFT_TABLE} {
${sets.join("")}  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
${rules.join("")}  }
}
`;
}

/** The networks that the sets of a listing have; of one address, nft leaves the length out. */
export function notrackElements(listing: string): readonly Cidr[] {
  return [...listing.matchAll(/elements = \{([^}]*)\}/g)]
    .flatMap(([, list = ""]) => list.split(","))
    .map((text) => text.trim())
    .map((text) => (text.includes("/") ? parseCidr(text) : hostCidr(parseIp(text))));
}

/** Is what `nft list table` says what `notrackRules` has made? */
export function notrackIsWhole(listing: string, overlayCidrs: readonly Cidr[]): boolean {
  const wanted = outermost(overlayCidrs);
  const rules = listing.split("\n").filter((line) => / notrack$/.test(line.trimEnd())).length;
  return (
    rules === new Set(wanted.map(familyOf)).size &&
    [...notrackElements(listing)].sort().join() === [...wanted].sort().join()
  );
}

/** One transaction that leaves no table of ours, there or not. */
export function removeNotrackRules(): string {
  return `table ${NODE_NFT_TABLE}\ndelete table ${NODE_NFT_TABLE}\n`;
}
