import { type Cidr, familyOf } from "./address.ts";
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
 * is treated rightly from its first packet. One rule a family, whatever the number of pods.
 */
export function notrackRules(overlayCidrs: readonly Cidr[]): string {
  const families = notrackFamilies(overlayCidrs);
  const sets = families.map(
    ({ name, type, elements }) =>
      `  set ${name} {\n    type ${type}; flags interval; auto-merge\n    elements = { ${elements.join(", ")} }\n  }\n`,
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

function notrackFamilies(overlayCidrs: readonly Cidr[]) {
  return (
    [
      { name: "overlay4", type: "ipv4_addr", protocol: "ip", family: "ipv4" },
      { name: "overlay6", type: "ipv6_addr", protocol: "ip6", family: "ipv6" },
    ] as const
  ).flatMap((f) => {
    const elements = overlayCidrs.filter((cidr) => familyOf(cidr) === f.family);
    return elements.length === 0 ? [] : [{ ...f, elements }];
  });
}

/** Whether a listing of the table has it whole: each family's rule, and every network. Pure. */
export function hasNotrack(listing: string, overlayCidrs: readonly Cidr[]): boolean {
  const rules = listing.split("\n").filter((line) => line.includes("notrack"));
  return notrackFamilies(overlayCidrs).every(
    ({ name, protocol, elements }) =>
      rules.some((rule) => rule.includes(`${protocol} daddr @${name} `)) &&
      elements.every((cidr) => listing.includes(cidr)),
  );
}

/** One transaction that leaves no table of ours, there or not. */
export function removeNotrackRules(): string {
  return `table ${NODE_NFT_TABLE}\ndelete table ${NODE_NFT_TABLE}\n`;
}
