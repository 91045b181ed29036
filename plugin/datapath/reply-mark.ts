import { addMark, isFamily, isInSet, isNotProtocol, loadPeer, updateSet } from "../netlink/nft-expression.ts";
import {
  createTable,
  decodeRuleComment,
  encodeRuleDump,
  NFT_HOOK,
  NFT_GET_RULE,
  PRIORITY_MANGLE,
  removeTable,
  replaceTable,
  type Table,
  type Transaction,
} from "../netlink/nftables.ts";
import { NetlinkError } from "../netlink/socket.ts";
import type { Family } from "./address.ts";
import type { Namespace } from "./kernel.ts";
import type { ReplyMarkItem } from "./plan.ts";

/** Our table in the pod's namespace, of family inet. */
const TABLE = "interlay";
/** More than twice as long as the node's conntrack keeps a UDP stream by default (120 s): the pod is not the first to forget. */
const CLIENT_MS = 300_000;
const PROTOCOL = { tcp: 6, icmp: { ipv4: 1, ipv6: 58 } } as const;

/**
 * Without conntrack, for it would track all that the pod says on the wire too, at 3 % of its latency (docs/concepts.md). What
 * comes in by the link is marked at its ingress, so that what comes in by the wire meets no rule. A TCP server's socket keeps
 * its SYN's mark and the kernel's own answers (RST, ICMP) that of their question, by sysctls of the plan; of all other
 * protocols the clients are kept, and what is said to them is marked.
 */
export function replyMarkTable({ device, mark, families }: ReplyMarkItem): Table {
  return {
    sets: families.map((family) => ({ name: clients(family), family, timeoutMs: CLIENT_MS })),
    chains: [
      {
        name: "incoming",
        type: "filter",
        hook: NFT_HOOK.ingress,
        device,
        priority: PRIORITY_MANGLE,
        rules: [
          { expressions: addMark(mark), comment: `came in by ${device}` },
          ...families.map((family) => ({
            expressions: [...withoutMemory(family), ...loadPeer(family, "peer"), ...updateSet(clients(family))],
            comment: `client by ${device} (${family})`,
          })),
        ],
      },
      {
        name: "replies",
        type: "route",
        hook: NFT_HOOK.output,
        priority: PRIORITY_MANGLE,
        rules: families.map((family) => ({
          expressions: [
            ...withoutMemory(family),
            ...loadPeer(family, "us"),
            ...isInSet(clients(family)),
            ...updateSet(clients(family)),
            ...addMark(mark),
          ],
          comment: `replies leave by ${device} (${family})`,
        })),
      },
    ],
  };
}

const clients = (family: Family): string => `clients-${family}`;

/** Neither TCP, whose sockets keep the mark, nor ICMP, which has no ports. */
const withoutMemory = (family: Family) => [
  ...isNotProtocol(PROTOCOL.tcp),
  ...isNotProtocol(PROTOCOL.icmp[family]),
  ...isFamily(family),
];

interface Made {
  readonly table: Table;
  readonly creation: Transaction;
}

/** By link, mark and families: the same for nearly all pods, and half of what making it costs. */
const tables = new Map<string, Made>();

function madeOf(item: ReplyMarkItem): Made {
  const key = `${item.device} ${item.mark} ${item.families.join()}`;
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

/** Whether every rule is there, by its comment. A link that went took its hook with it, and on some kernels no rule. */
export function hasReplyMark(item: ReplyMarkItem, pod: Namespace): boolean {
  if (pod.findLink(item.device) === undefined) return false;
  try {
    const found = pod.netfilter.dump("rules", NFT_GET_RULE, encodeRuleDump(TABLE));
    const comments = found.map((m) => decodeRuleComment(m.payload));
    const wanted = madeOf(item).table.chains.flatMap(({ rules }) => rules.map(({ comment }) => comment));
    return wanted.every((comment) => comments.includes(comment));
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENOENT") return false;
    throw error;
  }
}
