import {
  type Cidr,
  type Family,
  getFamily,
  hostCidr,
  type Ip,
  removeNestedCidrs,
  parseCidr,
  parseIp,
} from "../address.ts";
import type { ReturnPath } from "../facts.ts";
import { NODE_LINK_PREFIX } from "../names.ts";

/** Interlay's nftables table on the node. */
export const NODE_NFT_TABLE = "inet interlay";

/** Input that determines the content of the node's table. */
export interface NodeTableInput {
  readonly overlayCidrs: readonly Cidr[];
  readonly returnPath: ReturnPath;
  /** The node's uplink: packets that enter by it are from the wire, never from a pod. */
  readonly uplink: string;
  /** Overlay networks whose pods the overlay masquerades towards other networks. */
  readonly masqueradedCidrs?: readonly Cidr[];
  /**
   * The node's InternalIPs of the families in which it has other addresses as well. MASQUERADE on a link without an address, such as
   * a pod's, takes the first address of the node; with these InternalIPs the server sees the InternalIP instead.
   */
  readonly nodeAddresses?: readonly Ip[];
  /** Links by which packets leave for other nodes (tunnels and the uplink); used with `snat` only. */
  readonly nodeLinks?: readonly string[];
}

const FAMILIES: readonly {
  readonly family: Family;
  readonly set: string;
  readonly type: string;
  readonly protocol: string;
}[] = [
  { family: "ipv4", set: "overlay4", type: "ipv4_addr", protocol: "ip" },
  { family: "ipv6", set: "overlay6", type: "ipv6_addr", protocol: "ip6" },
];

/** Bits of a packet's mark without kube-proxy's for masquerade (0x4000, its `masqueradeBit` 14). */
const WITHOUT_KUBE_PROXY_MARK = "0xffffbfff";
/** Marks for masquerade: kube-proxy's (bit 14) and that of the reference plugin portmap (bit 13, its `masqMarkBit`). */
const MASQUERADE_MARKS = "0x00006000";

const FROM_PODS = `iifname "${NODE_LINK_PREFIX}*"`;

/**
 * Renders the node's table as one transaction that replaces it. The number of rules depends on neither pods nor networks.
 *
 * - `exempt` (notrack, snat) exempts from connection tracking what conntrack has just called INVALID: packets to overlay
 *   pods whose replies do not pass this node. conntrack attaches nothing to an INVALID packet, so `notrack` still applies;
 *   replies of translated connections are not INVALID and stay tracked. The replies of a further NIC (net1 of a multi-NIC pod)
 *   to an overlay pod that asked with its own address (natOutgoing off) are such packets too: they enter by the pod's veth with
 *   a source outside the overlay that the node routes back by it. Its priority is between conntrack (-200) and every
 *   filter that could drop INVALID packets (mangle, -150). Its first rule lets valid packets pass with one comparison.
 * - `node_source` gives a Service connection that leaves for another node the node's address, so that the reply returns to
 *   the node that translated it, whatever kube-proxy's clusterCIDR says. Pods behind a pair answer through the pair anyway.
 *   With `snat`, connections to overlay pods of other nodes are masqueraded too. Priority srcnat - 1: before kube-proxy, whose
 *   own chain then does not see the packet and does not clear its mark for masquerade. The rule clears it: with the mark a
 *   tunnel's outer packet would be masqueraded too, and reach the other node with a wrong checksum (kubernetes issue 88986).
 *   On a node with several addresses, what is masqueraded towards a pod's own link leaves with the InternalIP.
 */
export function renderNodeTable(input: NodeTableInput): string {
  return `${removeNodeTable()}${renderTable(input)}`;
}

/** Renders one transaction that deletes Interlay's table, whether it exists or not. */
export function removeNodeTable(): string {
  return `table ${NODE_NFT_TABLE}\ndelete table ${NODE_NFT_TABLE}\n`;
}

function renderTable(input: NodeTableInput): string {
  const { overlayCidrs, returnPath, uplink, nodeLinks = [], masqueradedCidrs = [], nodeAddresses = [] } = input;
  const overlays = FAMILIES.flatMap((family) => {
    // nft rejects a set in which one network contains another one.
    const elements = removeNestedCidrs(overlayCidrs).filter((cidr) => getFamily(cidr) === family.family);
    return elements.length === 0 ? [] : [{ ...family, elements }];
  });
  const sets = overlays.map(
    ({ set, type, elements }) => `  set ${set} {
    type ${type}
    flags interval
    elements = { ${elements.join(", ")} }
  }
`,
  );
  const snat = returnPath === "snat" && nodeLinks.length > 0;
  if (snat)
    sets.push(`  set node_links {
    type ifname
    elements = { ${nodeLinks.map((name) => `"${name}"`).join(", ")} }
  }
`);
  const exemptions = overlays.flatMap(({ set, protocol, family }) => [
    `    ${FROM_PODS} ${protocol} daddr @${set} ct state invalid counter notrack comment "exempt-${family}"\n`,
    `    iifname != "${uplink}" iifname != "${NODE_LINK_PREFIX}*" meta iifkind "veth" ${protocol} saddr != @${set} ${protocol} daddr @${set} fib saddr . iif oif exists ct state invalid counter notrack comment "exempt-further-nic-${family}"\n`,
  ]);
  const sourceTranslations = overlays.flatMap((overlay) => {
    const address = nodeAddresses.find((node) => getFamily(node) === overlay.family);
    const masqueraded = removeNestedCidrs(masqueradedCidrs).filter((cidr) => getFamily(cidr) === overlay.family);
    return address === undefined ? [] : renderSourceTranslations(overlay, address, masqueraded);
  });
  const masquerades = overlays.map(
    ({ set, protocol, family }) =>
      `    ${FROM_PODS} oifname @node_links ${protocol} daddr @${set} counter masquerade fully-random comment "masquerade-overlay-${family}"\n`,
  );
  return `table ${NODE_NFT_TABLE} {
${sets.join("")}${
    returnPath === "notrack" || returnPath === "snat"
      ? `  chain exempt {
    type filter hook prerouting priority mangle - 10; policy accept;
    ct state != invalid accept comment "shortcut"
${exemptions.join("")}  }
`
      : ""
  }  chain node_source {
    type nat hook postrouting priority srcnat - 1; policy accept;
${sourceTranslations.join("")}    ${FROM_PODS} oifname != "${NODE_LINK_PREFIX}*" ct status dnat counter meta mark set meta mark & ${WITHOUT_KUBE_PROXY_MARK} masquerade fully-random comment "masquerade-service"
${snat ? masquerades.join("") : ""}  }
}
`;
}

/** Renders the rules that use the InternalIP where MASQUERADE would use the first address of the node. */
function renderSourceTranslations(
  { family, set, protocol }: (typeof FAMILIES)[number],
  address: Ip,
  masqueraded: readonly Cidr[],
): readonly string[] {
  const translate = `counter meta mark set meta mark & ${WITHOUT_KUBE_PROXY_MARK} snat ${protocol} to ${address} fully-random comment`;
  const toUnderlay = `meta oifkind "veth" ${protocol} daddr != @${set}`;
  return [
    `    ${FROM_PODS} oifname != "${NODE_LINK_PREFIX}*" meta oifkind "veth" meta nfproto ${family} ct status dnat ${translate} "node-address-service-${family}"\n`,
    `    ${toUnderlay} meta mark & ${MASQUERADE_MARKS} != 0x00000000 ${translate} "node-address-marked-${family}"\n`,
    ...(masqueraded.length === 0
      ? []
      : [
          `    ${toUnderlay} ${protocol} saddr ${renderSet(masqueraded)} ${translate} "node-address-overlay-${family}"\n`,
        ]),
  ];
}

/** Renders networks as nft lists them: sorted in braces, but a single network without braces. */
function renderSet(networks: readonly Cidr[]): string {
  const elements = [...networks].sort().join(", ");
  return networks.length === 1 ? elements : `{ ${elements} }`;
}

/** Reports whether `nft list table` shows what `renderNodeTable` writes for the same input; counters are not compared. */
export function isNodeTable(listing: string, input: NodeTableInput): boolean {
  return normalizeListing(listing) === normalizeListing(renderTable(input));
}

/** Normalizes a listing for comparison: without counters, blanks and the order of elements. */
export function normalizeListing(listing: string): string {
  return listing
    .replaceAll(/counter packets \d+ bytes \d+/g, "counter")
    .replaceAll(/elements = \{([^}]*)\}/g, (_, list: string) => `elements = ${splitElements(list).sort().join(",")}\n`)
    .split(/[\n;]/)
    .map((line) => line.trim().replaceAll(/\s+/g, " "))
    .filter((line) => line !== "")
    .join("\n");
}

/** Splits the elements of a set, and adds the prefix length that nft omits for single addresses. */
function splitElements(list: string): string[] {
  return list
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => (text.startsWith('"') || text.includes("/") ? text : hostCidr(parseIp(text))));
}

/** Parses the overlay networks whose INVALID packets are exempted; empty if the listing has no exemption. */
export function readExemptCidrs(listing: string): readonly Cidr[] {
  if (!/notrack comment "exempt-ipv[46]"/.test(listing)) return [];
  return [...listing.matchAll(/set overlay[46] \{[^}]*elements = \{([^}]*)\}/g)]
    .flatMap(([, list = ""]) => splitElements(list))
    .map(parseCidr);
}

/** Parses the packet counters of a listing, by the comment of their rule. */
export function readRuleCounters(listing: string): ReadonlyMap<string, number> {
  return new Map(
    [...listing.matchAll(/counter packets (\d+) bytes \d+ .*comment "([^"]+)"/g)].map(
      ([, packets = "0", name = ""]) => [name, Number(packets)],
    ),
  );
}
