import { NUD_PERMANENT, RTM_NEIGHBOUR, encodeNeighbour } from "../../netlink/neighbour.ts";
import { RTM_ROUTE, encodeRoute } from "../../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../../netlink/rule.ts";
import { getFamily } from "../address.ts";
import { removeLink } from "./apply-plan.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import { NetworkNamespace } from "../kernel.ts";
import { toKernelRoute, toKernelRule } from "../kernel-objects.ts";
import { restoreReplaced } from "./replaced-route.ts";
import { removeReplyMark } from "./reply-mark.ts";
import { isShared, removeSharedRule } from "./shared-rule.ts";
import { removeSourceGuard } from "./source-guard.ts";
import { describeItem, type Plan, type PlanItem } from "../plan-item.ts";

/**
 * Removes the state of a plan from the node and, if it still exists, from the pod. Ignores missing objects.
 *
 * @param podPath the pod's network namespace; undefined if it no longer exists
 * @param keep items (describeItem) of other attachments of the same pod, which must stay
 */
export function undoPlan(
  plan: Plan,
  node: NetworkNamespace,
  podPath: string | undefined,
  keep: ReadonlySet<string>,
): void {
  const ownItems = plan.items.filter((item) => !keep.has(describeItem(item))).reverse();
  // Rules of the node last: they are removed when their table is empty.
  const items = [...ownItems.filter((item) => !isShared(item)), ...ownItems.filter(isShared)];
  const pod = podPath === undefined ? undefined : tryOpenNamespace(podPath);
  try {
    for (const item of items) {
      const where = item.kind === "veth" || item.where === "node" ? node : pod;
      if (where !== undefined) undoItem(item, where);
    }
  } finally {
    pod?.close();
  }
}

/** Returns undefined if the namespace does not exist: it can disappear at any time. */
function tryOpenNamespace(path: string): NetworkNamespace | undefined {
  try {
    return new NetworkNamespace(path);
  } catch {
    return undefined;
  }
}

function undoItem(item: PlanItem, where: NetworkNamespace): void {
  switch (item.kind) {
    case "veth":
      removeLink(where, item.node.name);
      return;
    case "route": {
      if (item.connected === true) return; // removed with the link's address
      const link = where.findLink(item.device);
      if (link === undefined) return; // removed with its link
      ignoreNotFound(() => {
        if (restoreReplaced(item, where)) return;
        where.socket.execute(describeItem(item), RTM_ROUTE.del, 0, encodeRoute(toKernelRoute(item, link.index)));
      });
      return;
    }
    case "neighbour": {
      const link = where.findLink(item.device)?.index;
      if (link === undefined) return;
      const { address, mac } = item;
      ignoreNotFound(() => {
        const body = encodeNeighbour({ family: getFamily(address), link, address, mac, state: NUD_PERMANENT });
        where.socket.execute(describeItem(item), RTM_NEIGHBOUR.del, 0, body);
      });
      return;
    }
    case "rule":
      if (item.where === "node") removeSharedRule(item, where);
      else
        ignoreNotFound(() => {
          where.socket.execute(describeItem(item), RTM_RULE.del, 0, encodeRule(toKernelRule(item)));
        });
      return;
    case "mac": // the main plugin removes the link
    case "up": // removed with its pair
    case "sysctl": // removed with its link or namespace
      return;
    case "reply-mark":
      removeReplyMark(where);
      return;
    case "source-guard":
      removeSourceGuard(item.device, where);
      return;
  }
}
