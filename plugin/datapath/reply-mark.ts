import { parsePrefix } from "../netlink/ip.ts";
import {
  accept,
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
} from "../netlink/nft-expression.ts";
import {
  createTable,
  decodeRuleComment,
  encodeRuleDump,
  NFT_HOOK,
  NFT_GET_RULE,
  PRIORITY_MANGLE,
  removeTable,
  replaceTable,
  type Rule,
  type Table,
  type Transaction,
} from "../netlink/nftables.ts";
import { NetlinkError } from "../netlink/socket.ts";
import { type Cidr, type Family, familyOf } from "./address.ts";
import type { Namespace } from "./kernel.ts";
import type { ReplyMarkItem } from "./plan.ts";

/** Our table in the pod's namespace, of family inet. */
const TABLE = "interlay";
/** Longer than the node's conntrack keeps a UDP stream by default (120 s): the pod is not the first to forget. */
const CLIENT_MS = 130_000;
const PROTOCOL = { tcp: 6, icmp: { ipv4: 1, ipv6: 58 } } as const;

/**
 * Plans the table without conntrack, which would track all that the pod says on the wire too, at 3 % of its latency
 * (docs/concepts.md). What comes in by the link is marked at its ingress, so that what comes in by the wire meets no rule. A
 * TCP server's socket keeps its SYN's mark and the kernel's own answers (RST, ICMP) that of their question, by sysctls of the
 * plan; of all other protocols the clients are kept, and what is said to them is marked.
 *
 * The kernel keeps at most 65,535 elements of a set. Clients in networks that the main table routes by the link are not
 * kept, and where a set is full, a client is kept by its address alone: somebody who sends from many ports takes one element
 * of the second set, and a new client is still answered by the way it came.
 */
export function replyMarkTable({ device, mark, families, routed = [] }: ReplyMarkItem): Table {
  const sets = families.flatMap((family) => [
    { name: clients(family), family, key: "ports" as const, timeoutMs: CLIENT_MS },
    { name: addresses(family), family, key: "address" as const, timeoutMs: CLIENT_MS },
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
          ...families.flatMap((family) => [...routedRules(family, device, routed), ...clientRules(family, device)]),
        ],
      },
      {
        name: "replies",
        type: "route",
        hook: NFT_HOOK.output,
        priority: PRIORITY_MANGLE,
        rules: [TCP_RULE, ...families.flatMap((family) => replyRules(family, device, mark))],
      },
    ],
  };
}

const clients = (family: Family): string => `clients-${family}`;
const addresses = (family: Family): string => `addresses-${family}`;

/** First, so that TCP meets one rule. */
const TCP_RULE: Rule = {
  expressions: [...isProtocol(PROTOCOL.tcp), ...accept()],
  comment: "a TCP socket keeps the mark",
};

/** Not ICMP either: it has no ports, and the kernel's answers have the mark of their question. */
const withoutMemory = (family: Family) => [...isNotProtocol(PROTOCOL.icmp[family]), ...isFamily(family)];

function routedRules(family: Family, device: string, routed: readonly Cidr[]): readonly Rule[] {
  return routed
    .filter((cidr) => familyOf(cidr) === family)
    .map((cidr) => ({
      expressions: [...isFamily(family), ...isFromNetwork(family, parsePrefix(cidr)), ...accept()],
      comment: `routed by ${device}: ${cidr}`,
    }));
}

function clientRules(family: Family, device: string): readonly Rule[] {
  return [
    {
      // Where the set is full, the rule ends at `update`.
      expressions: [...withoutMemory(family), ...loadPeer(family, "peer"), ...updateSet(clients(family)), ...accept()],
      comment: `client by ${device} (${family})`,
    },
    {
      expressions: [...withoutMemory(family), ...loadPeerAddress(family, "peer"), ...updateSet(addresses(family))],
      comment: `client by ${device}, its address alone (${family})`,
    },
  ];
}

function replyRules(family: Family, device: string, mark: number): readonly Rule[] {
  const answer = (load: readonly Expression[], set: string): readonly Expression[] => [
    ...withoutMemory(family),
    ...load,
    ...isInSet(set),
    ...updateSet(set),
    ...addMark(mark),
    ...accept(),
  ];
  return [
    {
      expressions: answer(loadPeer(family, "us"), clients(family)),
      comment: `replies leave by ${device} (${family})`,
    },
    {
      expressions: answer(loadPeerAddress(family, "us"), addresses(family)),
      comment: `replies leave by ${device}, to an address (${family})`,
    },
  ];
}

interface Made {
  readonly table: Table;
  readonly creation: Transaction;
}

/** By link, mark, families and routed networks: the same for nearly all pods, and half of what making it costs. */
const tables = new Map<string, Made>();

function madeOf(item: ReplyMarkItem): Made {
  const key = `${item.device} ${item.mark} ${item.families.join()} ${(item.routed ?? []).join()}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = replyMarkTable(item);
  const made = { table, creation: createTable(TABLE, table) };
  tables.set(key, made);
  return made;
}

/**
 * One transaction: the table as it should be. Made new where there is none, as in every pod that starts: a transaction
 * that removes something makes its socket slow to close.
 */
export function applyReplyMark(item: ReplyMarkItem, pod: Namespace): void {
  const { table, creation } = madeOf(item);
  try {
    commit(creation, pod);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
    commit(replaceTable(TABLE, table), pod);
  }
}

export function removeReplyMark(pod: Namespace): void {
  commit(removeTable(TABLE), pod);
}

function commit({ begin, changes, end }: Transaction, pod: Namespace): void {
  pod.netfilter.batch(`table inet ${TABLE}`, begin, changes, end);
}

/** Whether the rules are these, by their comments. A link that went took its hook with it, and on some kernels no rule. */
export function hasReplyMark(item: ReplyMarkItem, pod: Namespace): boolean {
  if (pod.findLink(item.device) === undefined) return false;
  try {
    const found = pod.netfilter.dump("rules", NFT_GET_RULE, encodeRuleDump(TABLE));
    const comments = found.map((m) => decodeRuleComment(m.payload)).sort();
    const wanted = madeOf(item).table.chains.flatMap(({ rules }) => rules.map(({ comment }) => comment));
    return wanted.sort().join("\n") === comments.join("\n");
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENOENT") return false;
    throw error;
  }
}
