import { RTM_LINK, encodeLinkChange } from "../../netlink/link.ts";
import { NLM_FLAG } from "../../netlink/message.ts";
import { NUD_PERMANENT, RTM_NEIGHBOUR, encodeNeighbour } from "../../netlink/neighbour.ts";
import { RTM_ROUTE, encodeRoute } from "../../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../../netlink/rule.ts";
import { type Change, NetlinkError } from "../../netlink/socket.ts";
import { getFamily } from "../address.ts";
import type { OnAttempt, OnApplied, Undo } from "./apply-step.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { toKernelRoute, toKernelRule } from "../kernel-objects.ts";
import {
  describeItem,
  type NeighbourItem,
  type PlanItem,
  type RouteItem,
  type RuleItem,
  type UpItem,
} from "../plan-item.ts";
import { restoreReplaced } from "./replaced-route.ts";
import { removeSharedRule } from "./shared-rule.ts";

/** An item that one rtnetlink message applies. */
type MessageItem = UpItem | NeighbourItem | RouteItem | RuleItem;
/** Reports whether an item is applied by one rtnetlink message. */
export function isMessage(item: PlanItem): item is MessageItem {
  return item.kind === "up" || item.kind === "neighbour" || item.kind === "route" || item.kind === "rule";
}

/**
 * Applies all items with one system call: a call for each would take most of an ADD's time.
 *
 * @throws NetlinkError of the first item that the kernel rejects, after passing this item to `onAttempt`
 */
export function applyMessages(
  items: readonly MessageItem[],
  where: NetworkNamespace,
  onApplied: OnApplied,
  onAttempt: OnAttempt,
): void {
  const steps = items.map((item) => {
    onAttempt(item);
    return { item, ...buildMessage(item, where) };
  });
  const refused = where.socket.executeEach(steps.map(({ change }) => change));
  let failure: { readonly item: PlanItem; readonly error: NetlinkError } | undefined;
  for (const [index, { item, undo }] of steps.entries()) {
    const error = refused.get(index);
    if (error === undefined) onApplied(item, undo);
    else if (!isAlreadyApplied(item, error)) failure ??= { item, error };
  }
  if (failure === undefined) return;
  onAttempt(failure.item);
  throw failure.error;
}

/** Applies one item. @returns its undo step; undefined if it already existed */
export function applyMessage(item: MessageItem, namespace: NetworkNamespace): Undo | undefined {
  const { change, undo } = buildMessage(item, namespace);
  try {
    namespace.socket.execute(change.what(), change.type, change.flags, change.body);
  } catch (error) {
    if (isAlreadyApplied(item, error)) return undefined;
    throw error;
  }
  return undo;
}

/** Reports whether the kernel rejected a rule or a connected route because it already exists. */
function isAlreadyApplied(item: PlanItem, error: unknown): boolean {
  const isAdded = item.kind === "rule" || (item.kind === "route" && item.connected === true);
  return isAdded && error instanceof NetlinkError && error.code === "EEXIST";
}

/** Builds the message that applies an item, and its undo step. */
function buildMessage(
  item: MessageItem,
  namespace: NetworkNamespace,
): { readonly change: Change; readonly undo: Undo | undefined } {
  const what = (): string => describeItem(item);
  switch (item.kind) {
    case "up": // has no undo step: undoing the pair removes the link
      return {
        change: {
          what,
          type: RTM_LINK.new,
          flags: 0,
          body: encodeLinkChange({ index: findLinkIndex(namespace, item.device), up: true }),
        },
        undo: undefined,
      };
    case "neighbour": {
      const { address, mac } = item;
      const link = findLinkIndex(namespace, item.device);
      const body = encodeNeighbour({ family: getFamily(address), link, address, mac, state: NUD_PERMANENT });
      return {
        change: { what, type: RTM_NEIGHBOUR.new, flags: NLM_FLAG.create | NLM_FLAG.replace, body },
        undo: () => {
          namespace.socket.execute(what(), RTM_NEIGHBOUR.del, 0, body);
        },
      };
    }
    case "route": {
      const body = encodeRoute(toKernelRoute(item, findLinkIndex(namespace, item.device)));
      // Without "replace" the kernel adds the route before foreign routes to the same network and keeps those.
      if (item.connected === true)
        return { change: { what, type: RTM_ROUTE.new, flags: NLM_FLAG.create, body }, undo: undefined };
      return {
        change: { what, type: RTM_ROUTE.new, flags: NLM_FLAG.create | NLM_FLAG.replace, body },
        undo: () => {
          if (!restoreReplaced(item, namespace)) namespace.socket.execute(what(), RTM_ROUTE.del, 0, body);
        },
      };
    }
    case "rule": {
      const body = encodeRule(toKernelRule(item));
      return {
        change: { what, type: RTM_RULE.new, flags: NLM_FLAG.create | NLM_FLAG.excl, body },
        undo: () => {
          if (item.where === "node") removeSharedRule(item, namespace);
          else namespace.socket.execute(what(), RTM_RULE.del, 0, body);
        },
      };
    }
  }
}

function findLinkIndex(namespace: NetworkNamespace, link: string): number {
  const found = namespace.findLink(link);
  if (found === undefined) throw new Error(`link ${link} does not exist`);
  return found.index;
}
