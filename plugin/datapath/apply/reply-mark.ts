import { parsePrefix } from "../../netlink/ip.ts";
import {
  acceptPacket,
  addMark,
  clearMark,
  type Expression,
  ICMPV6,
  isFamily,
  isFromNetwork,
  isInSet,
  isNotProtocol,
  isPacketTooBig,
  isProtocol,
  loadPeer,
  loadPeerAddress,
  updateSet,
} from "../../netlink/nft-expression.ts";
import { NFT_HOOK, PRIORITY_MANGLE, type NftRule, type NftTable } from "../../netlink/nftables.ts";
import { type Cidr, type Family, getFamily } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import type { ReplyMarkItem } from "../plan-item.ts";
import { applyLinkTable, type CompiledTable, compileTable, hasLinkTable, removeLinkTable } from "./link-table.ts";

/** Interlay's table in the pod's namespace. */
const TABLE = { family: "inet", name: "interlay" } as const;
/** Lifetime of a stored client: longer than the node's conntrack keeps a UDP stream by default (120 s). */
const CLIENT_MS = 130_000;
const PROTOCOL = { tcp: 6, icmp: { ipv4: 1, ipv6: ICMPV6 } } as const;

/**
 * Builds the table that marks replies to packets that came in by the link. It does not use conntrack, which would also track the
 * pod's underlay traffic and add 3 % to its latency (docs/plugin.md, "Reply marks"). The ingress hook of the link marks incoming
 * packets; underlay packets pass no rule. By sysctls of the plan, a TCP server's socket keeps the mark of the SYN, and replies of the
 * kernel (RST, ICMP) that of the request. For all other protocols the table stores the clients and marks packets to them.
 *
 * A set has at most 65,535 elements. Clients in networks that the main table routes by the link are not stored. If the set is full,
 * only a client's address is stored: a host that sends from many ports uses one element of the second set, and new clients still get
 * replies by the link.
 */
function buildReplyMarkTable({ device, mark, families, routed = [] }: ReplyMarkItem): NftTable {
  const sets = families.flatMap((family) => [
    { name: getClientSet(family), family, key: "ports" as const, timeoutMs: CLIENT_MS },
    { name: getAddressSet(family), family, key: "address" as const, timeoutMs: CLIENT_MS },
  ]);
  return {
    ...TABLE,
    sets,
    chains: [
      {
        name: "incoming",
        type: "filter",
        hook: NFT_HOOK.ingress.inet,
        device,
        priority: PRIORITY_MANGLE,
        rules: [
          { expressions: addMark(mark), comment: `came in by ${device}` },
          TCP_RULE,
          ...(families.includes("ipv6") ? [buildPacketTooBigRule(device, mark)] : []),
          ...families.flatMap((family) => [
            ...buildRoutedRules(family, device, routed),
            ...buildClientRules(family, device),
          ]),
        ],
      },
      {
        name: "replies",
        type: "route",
        hook: NFT_HOOK.output,
        priority: PRIORITY_MANGLE,
        rules: [TCP_RULE, ...families.flatMap((family) => buildReplyRules(family, device, mark))],
      },
    ],
  };
}

const getClientSet = (family: Family): string => `clients-${family}`;
const getAddressSet = (family: Family): string => `addresses-${family}`;

/** `meta l4proto tcp accept`. It is the first rule, so that TCP packets pass only one. */
const TCP_RULE: NftRule = {
  expressions: [...isProtocol(PROTOCOL.tcp), ...acceptPacket()],
  comment: "a TCP socket keeps the mark",
};

/**
 * `icmpv6 type packet-too-big meta mark set meta mark and not MARK accept`. With fwmark_reflect, the kernel would store the path MTU
 * in the route that the mark selects, where a UDP socket without the mark does not find it.
 */
function buildPacketTooBigRule(device: string, mark: number): NftRule {
  return {
    expressions: [...isPacketTooBig(), ...clearMark(mark), ...acceptPacket()],
    comment: `path MTU by ${device}`,
  };
}

/** `meta l4proto != icmp meta nfproto ipv4`: ICMP has no ports, and the kernel's replies have the mark of the request. */
const matchConnectionless = (family: Family) => [...isNotProtocol(PROTOCOL.icmp[family]), ...isFamily(family)];

/** `meta nfproto ipv4 ip saddr NETWORK accept` */
function buildRoutedRules(family: Family, device: string, routed: readonly Cidr[]): readonly NftRule[] {
  return routed
    .filter((cidr) => getFamily(cidr) === family)
    .map((cidr) => ({
      expressions: [...isFamily(family), ...isFromNetwork(family, parsePrefix(cidr)), ...acceptPacket()],
      comment: `routed by ${device}: ${cidr}`,
    }));
}

/**
 * `… update @clients-ipv4 { ip saddr . th sport . th dport } accept`, then `… update @addresses-ipv4 { ip saddr }`. If the first set
 * is full, its rule ends at `update`, so the second rule applies.
 */
function buildClientRules(family: Family, device: string): readonly NftRule[] {
  return [
    {
      expressions: [
        ...matchConnectionless(family),
        ...loadPeer(family, "peer"),
        ...updateSet(getClientSet(family)),
        ...acceptPacket(),
      ],
      comment: `client by ${device} (${family})`,
    },
    {
      expressions: [
        ...matchConnectionless(family),
        ...loadPeerAddress(family, "peer"),
        ...updateSet(getAddressSet(family)),
      ],
      comment: `client by ${device}, its address alone (${family})`,
    },
  ];
}

/**
 * `… ip daddr . th dport . th sport @clients-ipv4 update @clients-ipv4 { … } meta mark set meta mark or MARK accept`, then the same with
 * `ip daddr @addresses-ipv4`.
 */
function buildReplyRules(family: Family, device: string, mark: number): readonly NftRule[] {
  const buildExpressions = (load: readonly Expression[], set: string): readonly Expression[] => [
    ...matchConnectionless(family),
    ...load,
    ...isInSet(set),
    ...updateSet(set),
    ...addMark(mark),
    ...acceptPacket(),
  ];
  return [
    {
      expressions: buildExpressions(loadPeer(family, "us"), getClientSet(family)),
      comment: `replies leave by ${device} (${family})`,
    },
    {
      expressions: buildExpressions(loadPeerAddress(family, "us"), getAddressSet(family)),
      comment: `replies leave by ${device}, to an address (${family})`,
    },
  ];
}

/** Compiled tables by link, mark, families and routed networks, which are the same for nearly all pods. */
const tables = new Map<string, CompiledTable>();

function getCompiledTable(item: ReplyMarkItem): CompiledTable {
  const key = `${item.device} ${item.mark} ${item.families.join()} ${(item.routed ?? []).join()}`;
  const cached = tables.get(key);
  if (cached !== undefined) return cached;
  const compiled = compileTable(buildReplyMarkTable(item));
  tables.set(key, compiled);
  return compiled;
}

/** Creates or replaces the table in the pod that marks replies. */
export function applyReplyMark(item: ReplyMarkItem, pod: NetworkNamespace): void {
  applyLinkTable(getCompiledTable(item), pod);
}

/** Removes the table from the pod. Succeeds if it does not exist. */
export function removeReplyMark(pod: NetworkNamespace): void {
  removeLinkTable(TABLE, pod);
}

/** Reports whether the pod has the table's rules. */
export function hasReplyMark(item: ReplyMarkItem, pod: NetworkNamespace): boolean {
  return hasLinkTable(getCompiledTable(item).table, item.device, pod);
}
