import {
  addCtMark,
  addMark,
  type BaseChain,
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
} from "../netlink/nftables.ts";
import { NetlinkError, NetlinkSocket } from "../netlink/socket.ts";
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

/** One transaction: the table as it should be, or as it was. */
export function applyReplyMark(item: ReplyMarkItem, pod: Namespace): void {
  setChains(replyMarkChains(item), pod);
}

export function removeReplyMark(pod: Namespace): void {
  setChains([], pod);
}

function setChains(chains: readonly BaseChain[], pod: Namespace): void {
  withNetfilter(pod, (socket) => {
    const { begin, changes, end } = replaceTable(TABLE, chains);
    socket.batch(`table inet ${TABLE}`, begin, changes, end);
  });
}

/** Whether every rule is there, by its comment. */
export function hasReplyMark(item: ReplyMarkItem, pod: Namespace): boolean {
  return withNetfilter(pod, (socket) => {
    try {
      const found = socket.dump("rules", NFT_GET_RULE, encodeRulesOf(TABLE)).map((m) => decodeRuleComment(m.payload));
      const wanted = replyMarkChains(item).flatMap(({ rules }) => rules.map(({ comment }) => comment));
      return wanted.every((comment) => found.includes(comment));
    } catch (error) {
      if (error instanceof NetlinkError && error.code === "ENOENT") return false;
      throw error;
    }
  });
}

function withNetfilter<T>(namespace: Namespace, work: (socket: NetlinkSocket) => T): T {
  const socket = namespace.inside(() => NetlinkSocket.open("netfilter"));
  try {
    return work(socket);
  } finally {
    socket.close();
  }
}
