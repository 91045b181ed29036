import { NLM_FLAG } from "../../netlink/message.ts";
import { RTM_ROUTE, decodeRoute, encodeRouteDump } from "../../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../../netlink/rule.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { toKernelRule, NODE_ROUTE_PROTOCOL } from "../kernel-objects.ts";
import { describeItem, type PlanItem, type RuleItem } from "../plan-item.ts";

/** Reports whether an item is a rule of the node, which all its pods share. */
export function isShared(item: PlanItem): boolean {
  return item.kind === "rule" && item.where === "node";
}

/**
 * Removes the rule if its table has no route left. Needs no lock: the second check finds the route of an ADD
 * that ran after the first check, and an even later ADD adds the rule after its route.
 */
export function removeSharedRule(item: RuleItem, node: NetworkNamespace): void {
  if (tableHasRoutes(item, node)) return;
  ignoreNotFound(() => {
    node.socket.execute(describeItem(item), RTM_RULE.del, 0, encodeRule(toKernelRule(item)));
  });
  if (!tableHasRoutes(item, node)) return;
  try {
    node.socket.execute(
      describeItem(item),
      RTM_RULE.new,
      NLM_FLAG.create | NLM_FLAG.excl,
      encodeRule(toKernelRule(item)),
    );
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
  }
}

function tableHasRoutes({ family, table }: RuleItem, node: NetworkNamespace): boolean {
  return node.socket
    .dump("our routes", RTM_ROUTE.get, encodeRouteDump(family, NODE_ROUTE_PROTOCOL))
    .some((message) => decodeRoute(message.payload)?.table === table);
}
