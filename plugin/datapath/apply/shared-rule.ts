import { NLM_FLAG } from "../../netlink/message.ts";
import { RTM_ROUTE, decodeRoute, encodeRouteDump } from "../../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../../netlink/rule.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import type { Namespace } from "../kernel.ts";
import { toKernelRule, NODE_ROUTE_PROTOCOL } from "../kernel-objects.ts";
import { describeItem, type PlanItem, type RuleItem } from "../plan/plan.ts";

/** Rules of the node are all pods' together. */
export function isShared(item: PlanItem): boolean {
  return item.kind === "rule" && item.where === "node";
}

/**
 * The last one out. Without a lock: an ADD that put its route in after the table was looked at is seen the second time,
 * and one that does so later makes its rule after its route.
 */
export function removeSharedRule(item: RuleItem, node: Namespace): void {
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

function tableHasRoutes({ family, table }: RuleItem, node: Namespace): boolean {
  return node.socket
    .dump("our routes", RTM_ROUTE.get, encodeRouteDump(family, NODE_ROUTE_PROTOCOL))
    .some((message) => decodeRoute(message.payload)?.table === table);
}
