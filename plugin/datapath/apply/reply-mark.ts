import { parsePrefix } from "../../netlink/ip.ts";
import {
  acceptPacket,
  addMark,
  type Expression,
  isFamily,
  isFromNetwork,
  isInSet,
  isNotProtocol,
  isProtocol,
  loadPeer,
  loadPeerAddress,
  updateSet,
} from "../../netlink/nft-expression.ts";
import {
  createTable,
  decodeRuleComment,
  encodeRuleDump,
  NFT_HOOK,
  NFT_GET_RULE,
  PRIORITY_MANGLE,
  removeTable,
  replaceTable,
  type NftRule,
  type NftTable,
  type NftTransaction,
} from "../../netlink/nftables.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import { type Cidr, type Family, familyOf } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import type { ReplyMarkItem } from "../plan-item.ts";

/** Our table in the pod's namespace, of family inet. */
const TABLE = "interlay";
/** Longer than the node's conntrack keeps a UDP stream by default (120 s): the pod is not the first to forget. */
const CLIENT_MS = 130_000;
const PROTOCOL = { tcp: 6, icmp: { ipv4: 1, ipv6: 58 } } as const;

/**
 * Plans the table without conntrack, which would track all that the pod says on the wire too, at 3 % of its latency
 * (docs/plugin.md, "Reply marks"). What comes in by the link is marked at its ingress, so that what comes in by the wire meets no rule. A
 * TCP server's socket keeps its SYN's mark and the kernel's own answers (RST, ICMP) that of their question, by sysctls of the
 * plan; of all other protocols the clients are kept, and what is said to them is marked.
 *
 * The kernel keeps at most 65,535 elements of a set. Clients in networks that the main table routes by the link are not
 * kept, and where a set is full, a client is kept by its address alone: somebody who sends from many ports takes one element
 * of the second set, and a new client is still answered by the way it came.
 */
export function buildReplyMarkTable({ device, mark, families, routed = [] }: ReplyMarkItem): NftTable {
  const sets = families.flatMap((family) => [
    { name: getClientSet(family), family, key: "ports" as const, timeoutMs: CLIENT_MS },
    { name: getAddressSet(family), family, key: "address" as const, timeoutMs: CLIENT_MS },
  ]);
  return {
    sets,
    chains: [
      {
        name: "incoming",
        type: "filter",
        hook: NFT_HOOK.ingress,
        device,
        priority: PRIORITY_MANGLE,
        rules: [
          { expressions: addMark(mark), comment: `came in by ${device}` },
          TCP_RULE,
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

/** First, so that TCP meets one rule. */
const TCP_RULE: NftRule = {
  expressions: [...isProtocol(PROTOCOL.tcp), ...acceptPacket()],
  comment: "a TCP socket keeps the mark",
};

/** Not ICMP either: it has no ports, and the kernel's answers have the mark of their question. */
const matchConnectionless = (family: Family) => [...isNotProtocol(PROTOCOL.icmp[family]), ...isFamily(family)];

function buildRoutedRules(family: Family, device: string, routed: readonly Cidr[]): readonly NftRule[] {
  return routed
    .filter((cidr) => familyOf(cidr) === family)
    .map((cidr) => ({
      expressions: [...isFamily(family), ...isFromNetwork(family, parsePrefix(cidr)), ...acceptPacket()],
      comment: `routed by ${device}: ${cidr}`,
    }));
}

function buildClientRules(family: Family, device: string): readonly NftRule[] {
  return [
    {
      // Where the set is full, the rule ends at `update`.
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

function buildReplyRules(family: Family, device: string, mark: number): readonly NftRule[] {
  const answer = (load: readonly Expression[], set: string): readonly Expression[] => [
    ...matchConnectionless(family),
    ...load,
    ...isInSet(set),
    ...updateSet(set),
    ...addMark(mark),
    ...acceptPacket(),
  ];
  return [
    {
      expressions: answer(loadPeer(family, "us"), getClientSet(family)),
      comment: `replies leave by ${device} (${family})`,
    },
    {
      expressions: answer(loadPeerAddress(family, "us"), getAddressSet(family)),
      comment: `replies leave by ${device}, to an address (${family})`,
    },
  ];
}

interface CompiledTable {
  readonly table: NftTable;
  readonly creation: NftTransaction;
}

/** By link, mark, families and routed networks: the same for nearly all pods, and half of what making it costs. */
const tables = new Map<string, CompiledTable>();

function getCompiledTable(item: ReplyMarkItem): CompiledTable {
  const key = `${item.device} ${item.mark} ${item.families.join()} ${(item.routed ?? []).join()}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = buildReplyMarkTable(item);
  const made = { table, creation: createTable(TABLE, table) };
  tables.set(key, made);
  return made;
}

/**
 * One transaction: the table as it should be. Made new where there is none, as in every pod that starts: a transaction
 * that removes something makes its socket slow to close.
 */
export function applyReplyMark(item: ReplyMarkItem, pod: NetworkNamespace): void {
  const { table, creation } = getCompiledTable(item);
  try {
    commit(creation, pod);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
    commit(replaceTable(TABLE, table), pod);
  }
}

export function removeReplyMark(pod: NetworkNamespace): void {
  commit(removeTable(TABLE), pod);
}

function commit({ begin, changes, end }: NftTransaction, pod: NetworkNamespace): void {
  pod.netfilter.batch(`table inet ${TABLE}`, begin, changes, end);
}

/** Whether the rules are these, by their comments. A link that went took its hook with it, and on some kernels no rule. */
export function hasReplyMark(item: ReplyMarkItem, pod: NetworkNamespace): boolean {
  if (pod.findLink(item.device) === undefined) return false;
  try {
    const found = pod.netfilter.dump("rules", NFT_GET_RULE, encodeRuleDump(TABLE));
    const comments = found.map((m) => decodeRuleComment(m.payload)).sort();
    const wanted = getCompiledTable(item).table.chains.flatMap(({ rules }) => rules.map(({ comment }) => comment));
    return wanted.sort().join("\n") === comments.join("\n");
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENOENT") return false;
    throw error;
  }
}
