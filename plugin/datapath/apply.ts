import { readFileSync, writeFileSync } from "node:fs";
import { FLAG } from "../netlink/message.ts";
import { RTM_LINK, encodeLinkChange, encodeLinkName, encodeVethPair } from "../netlink/link.ts";
import { NUD_PERMANENT, RTM_NEIGHBOUR, encodeNeighbour } from "../netlink/neighbour.ts";
import { type Change, NetlinkError } from "../netlink/socket.ts";
import { RTM_ROUTE, encodeRoute } from "../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../netlink/rule.ts";
import { familyOf } from "./address.ts";
import { gone } from "./gone.ts";
import { type Namespace, withNamespaceFd } from "./kernel.ts";
import { kernelRoute, kernelRule } from "./kernel-objects.ts";
import {
  describeItem,
  type MacItem,
  type NeighbourItem,
  type Plan,
  type PlanItem,
  type RouteItem,
  type RuleItem,
  type SysctlItem,
  type VethItem,
} from "./plan.ts";
import { restoreReplaced } from "./replaced-route.ts";
import { isShared, removeSharedRule } from "./shared-rule.ts";
import { applyReplyMark, removeReplyMark } from "./reply-mark.ts";

/** A step of a plan that the kernel refused; what was made before it is undone. */
export class ApplyError extends Error {
  constructor(item: PlanItem, cause: unknown) {
    super(`${describeItem(item)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "ApplyError";
  }
}

type Undo = () => void;

/**
 * Makes the kernel as the plan says, in its order. What is there already stays: applying twice is the same as once.
 * @param beforeItem called before each step; what it throws is a failure of that step (tests use it)
 * @throws ApplyError after undoing what this call made
 */
export function applyPlan(
  plan: Plan,
  node: Namespace,
  pod: Namespace,
  beforeItem?: (item: PlanItem, index: number) => void,
): void {
  const undo: Undo[] = [];
  /** Run after all others: a rule of the node goes when its table is empty. */
  const undoShared: Undo[] = [];
  const made = (item: PlanItem, step: Undo | undefined): void => {
    if (step !== undefined) (isShared(item) ? undoShared : undo).push(step);
  };
  let failing: PlanItem | undefined;
  try {
    for (let index = 0; index < plan.items.length;) {
      const run = beforeItem === undefined ? messagesFrom(plan.items, index) : [];
      const [first] = run;
      failing = first ?? plan.items[index];
      if (first !== undefined && run.length > 1) {
        applyMessages(run, first.where === "node" ? node : pod, made, (item) => (failing = item));
        index += run.length;
      } else if (failing !== undefined) {
        beforeItem?.(failing, index);
        made(failing, applyItem(failing, node, pod));
        index++;
      }
    }
  } catch (error) {
    for (const step of [...undo.reverse(), ...undoShared]) {
      try {
        step();
      } catch {
        // the first failure is the one to tell; DEL and GC remove what is left
      }
    }
    throw failing === undefined ? error : new ApplyError(failing, error);
  }
}

type MessageItem = NeighbourItem | RouteItem | RuleItem;

function isMessage(item: PlanItem | undefined): item is MessageItem {
  return item?.kind === "neighbour" || item?.kind === "route" || item?.kind === "rule";
}

/** From `index` on, what is one netlink message each in one namespace. */
function messagesFrom(items: readonly PlanItem[], index: number): readonly MessageItem[] {
  const run: MessageItem[] = [];
  for (let item = items[index]; isMessage(item); item = items[index + run.length]) {
    if (run[0] !== undefined && run[0].where !== item.where) break;
    run.push(item);
  }
  return run;
}

/** All in one go: a call of the kernel for each would be most of an ADD's time. Throws the first refusal, named to `failing`. */
function applyMessages(
  items: readonly MessageItem[],
  where: Namespace,
  made: (item: PlanItem, undo: Undo | undefined) => void,
  failing: (item: PlanItem) => void,
): void {
  const steps = items.map((item) => ({ item, ...messageOf(item, where) }));
  const refused = where.socket.executeEach(steps.map(({ change }) => change));
  let failure: { readonly item: PlanItem; readonly error: NetlinkError } | undefined;
  for (const [index, { item, undo }] of steps.entries()) {
    const error = refused.get(index);
    if (error === undefined) made(item, undo);
    else if (!isThere(item, error)) failure ??= { item, error };
  }
  if (failure === undefined) return;
  failing(failure.item);
  throw failure.error;
}

/** A rule that there is already is what was wanted; routes and neighbours replace. */
function isThere(item: PlanItem, error: unknown): boolean {
  return item.kind === "rule" && error instanceof NetlinkError && error.code === "EEXIST";
}

/** The message that makes an item, and how to undo it. */
function messageOf(item: MessageItem, where: Namespace): { readonly change: Change; readonly undo: Undo } {
  const what = (): string => describeItem(item);
  switch (item.kind) {
    case "neighbour": {
      const { address, mac } = item;
      const link = indexOf(where, item.device);
      const body = encodeNeighbour({ family: familyOf(address), link, address, mac, state: NUD_PERMANENT });
      return {
        change: { what, type: RTM_NEIGHBOUR.new, flags: FLAG.create | FLAG.replace, body },
        undo: () => {
          where.socket.execute(what(), RTM_NEIGHBOUR.del, 0, body);
        },
      };
    }
    case "route": {
      const body = encodeRoute(kernelRoute(item, indexOf(where, item.device)));
      return {
        change: { what, type: RTM_ROUTE.new, flags: FLAG.create | FLAG.replace, body },
        undo: () => {
          if (!restoreReplaced(item, where)) where.socket.execute(what(), RTM_ROUTE.del, 0, body);
        },
      };
    }
    case "rule": {
      const body = encodeRule(kernelRule(item));
      return {
        change: { what, type: RTM_RULE.new, flags: FLAG.create | FLAG.excl, body },
        undo: () => {
          if (item.where === "node") removeSharedRule(item, where);
          else where.socket.execute(what(), RTM_RULE.del, 0, body);
        },
      };
    }
  }
}

/** Returns how to undo it; undefined if it was there. */
export function applyItem(item: PlanItem, node: Namespace, pod: Namespace): Undo | undefined {
  const where = item.kind !== "veth" && item.where === "node" ? node : pod;
  switch (item.kind) {
    case "veth":
      return applyVeth(item, node, pod);
    case "up":
      bringUp(item.device, where);
      return undefined;
    case "mac":
      return applyMac(item, where);
    case "sysctl":
      return applySysctl(item, where);
    case "neighbour":
    case "route":
    case "rule": {
      const { change, undo } = messageOf(item, where);
      try {
        where.socket.execute(change.what(), change.type, change.flags, change.body);
      } catch (error) {
        if (isThere(item, error)) return undefined;
        throw error;
      }
      return undo;
    }
    case "reply-mark":
      applyReplyMark(item, where);
      return () => {
        removeReplyMark(where);
      };
  }
}

function indexOf(namespace: Namespace, link: string): number {
  const found = namespace.findLink(link);
  if (found === undefined) throw new Error(`there is no link ${link}`);
  return found.index;
}

/** A pair half of which is ours and half another's is made anew: the other end was of an earlier life. */
function applyVeth(item: VethItem, node: Namespace, pod: Namespace): Undo | undefined {
  const nodeEnd = node.findLink(item.node.name);
  const podEnd = pod.findLink(item.pod.name);
  if (nodeEnd !== undefined && podEnd?.link === nodeEnd.index && podEnd.mac === item.pod.mac) return undefined;
  if (nodeEnd !== undefined) removeLink(node, item.node.name);
  if (podEnd !== undefined) removeLink(pod, item.pod.name);
  withNamespaceFd(pod.path ?? "/proc/self/ns/net", (fd) => {
    const body = encodeVethPair(item.node, item.pod, fd, item);
    node.socket.execute(describeItem(item), RTM_LINK.new, FLAG.create | FLAG.excl, body);
  });
  node.forgetLinks();
  pod.forgetLinks();
  return () => {
    removeLink(node, item.node.name);
  };
}

/** Never undone: the link was made for it. */
function bringUp(device: string, where: Namespace): void {
  const body = encodeLinkChange({ index: indexOf(where, device), up: true });
  where.socket.execute(`link ${device} up`, RTM_LINK.new, 0, body);
}

function applyMac({ device, mac }: MacItem, where: Namespace): Undo | undefined {
  const link = where.findLink(device);
  if (link === undefined) throw new Error(`there is no link ${device}`);
  if (link.mac === mac) return undefined;
  const set = (address: string): void => {
    const body = encodeLinkChange({ index: link.index, mac: address });
    where.socket.execute(`link ${device} address ${address}`, RTM_LINK.new, 0, body);
    where.forgetLinks();
  };
  set(mac);
  return () => {
    set(link.mac);
  };
}

/** Removes a link by name; that there is none is what was wanted. */
export function removeLink(namespace: Namespace, name: string): void {
  gone(() => {
    namespace.socket.execute(`remove link ${name}`, RTM_LINK.del, 0, encodeLinkName(name));
  });
  namespace.forgetLinks();
}

function applySysctl(item: SysctlItem, where: Namespace): Undo | undefined {
  const file = `/proc/sys/net/${item.path.join("/")}`;
  return where.inside(() => {
    const before = readFileSync(file, "utf8").trim();
    if (before === item.value) return undefined;
    writeFileSync(file, item.value);
    return () => {
      where.inside(() => {
        writeFileSync(file, before);
      });
    };
  });
}
