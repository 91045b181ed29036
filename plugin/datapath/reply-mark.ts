import {
  addCtMark,
  addMark,
  type BaseChain,
  createTable,
  CT_DIRECTION_REPLY,
  CT_STATE_NEW,
  ctDirection,
  ctMarkHas,
  ctState,
  decodeRuleComment,
  encodeRulesOf,
  HOOK,
  iifname,
  NFT_GET_RULE,
  PRIORITY_MANGLE,
  replaceTable,
  type Transaction,
} from "../netlink/nftables.ts";
import { NetlinkError } from "../netlink/socket.ts";
import type { Namespace } from "./kernel.ts";
import type { ReplyMarkItem } from "./plan.ts";

/** Our table in the pod's namespace, of family inet. */
const TABLE = "interlay";

/**
 * The mark lives in conntrack, so that every reply of the connection has it; only replies are marked, for what the pod
 * itself begins has its own routes. What comes in is marked as well, for the source check (src_valid_mark).
 */
export function replyMarkChains({ device, mark }: ReplyMarkItem): readonly BaseChain[] {
  return [
    {
      name: "incoming",
      type: "filter",
      hook: HOOK.prerouting,
      priority: PRIORITY_MANGLE,
      rules: [
        { expressions: [...iifname(device), ...addMark(mark)], comment: `source check by the way in (${device})` },
        {
          expressions: [...iifname(device), ...ctState(CT_STATE_NEW), ...addCtMark(mark)],
          comment: `connection came in by ${device}`,
        },
      ],
    },
    {
      name: "replies",
      type: "route",
      hook: HOOK.output,
      priority: PRIORITY_MANGLE,
      rules: [
        {
          expressions: [...ctDirection(CT_DIRECTION_REPLY), ...ctMarkHas(mark), ...addMark(mark)],
          comment: `replies leave by ${device}`,
        },
      ],
    },
  ];
}

/** By link and mark: the same for nearly all pods, and half of what making it costs. */
const creations = new Map<string, Transaction>();

function creationOf(item: ReplyMarkItem): Transaction {
  const key = `${item.device} ${item.mark}`;
  const made = creations.get(key) ?? createTable(TABLE, replyMarkChains(item));
  creations.set(key, made);
  return made;
}

/**
 * One transaction: the table as it should be. Made new where there is none, as in every pod that starts: a transaction
 * that removes something makes its socket slow to close.
 */
export function applyReplyMark(item: ReplyMarkItem, pod: Namespace): void {
  try {
    commit(creationOf(item), pod);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
    commit(replaceTable(TABLE, replyMarkChains(item)), pod);
  }
}

export function removeReplyMark(pod: Namespace): void {
  commit(replaceTable(TABLE, []), pod);
}

function commit({ begin, changes, end }: Transaction, pod: Namespace): void {
  pod.netfilter.batch(`table inet ${TABLE}`, begin, changes, end);
}

/** Whether every rule is there, by its comment. */
export function hasReplyMark(item: ReplyMarkItem, pod: Namespace): boolean {
  try {
    const found = pod.netfilter.dump("rules", NFT_GET_RULE, encodeRulesOf(TABLE));
    const comments = found.map((m) => decodeRuleComment(m.payload));
    const wanted = replyMarkChains(item).flatMap(({ rules }) => rules.map(({ comment }) => comment));
    return wanted.every((comment) => comments.includes(comment));
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENOENT") return false;
    throw error;
  }
}
