import { NLM_FLAG } from "../../netlink/message.ts";
import { encodeRoute, RTM_ROUTE } from "../../netlink/route.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { toKernelRoute } from "../kernel-objects.ts";
import { describeItem, type RouteItem } from "../plan-item.ts";

/** Restores the route that an item replaced. @returns false if it replaced none, or if the link does not exist any more */
export function restoreReplaced({ instead, ...item }: RouteItem, where: NetworkNamespace): boolean {
  const link = instead === undefined ? undefined : where.findLink(instead.device);
  if (instead === undefined || link === undefined) return false;
  const replaced: RouteItem = { ...item, ...instead, onlink: true };
  where.socket.execute(
    describeItem(replaced),
    RTM_ROUTE.new,
    NLM_FLAG.create | NLM_FLAG.replace,
    encodeRoute(toKernelRoute(replaced, link.index)),
  );
  return true;
}
