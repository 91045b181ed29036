import { readFileSync, writeFileSync } from "node:fs";
import { FLAG } from "../netlink/message.ts";
import { RTM_LINK, encodeLinkChange, encodeLinkName, encodeVethPair } from "../netlink/link.ts";
import { NUD_PERMANENT, RTM_NEIGHBOUR, encodeNeighbour } from "../netlink/neighbour.ts";
import { NetlinkError } from "../netlink/socket.ts";
import { RTM_ROUTE, encodeRoute } from "../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../netlink/rule.ts";
import { familyOf } from "./address.ts";
import { gone } from "./gone.ts";
import { type Namespace, withNamespaceFd } from "./kernel.ts";
import { kernelRoute, kernelRule } from "./kernel-objects.ts";
import { describeItem, type MacItem, type Plan, type PlanItem, type SysctlItem, type VethItem } from "./plan.ts";
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
  beforeItem: (item: PlanItem, index: number) => void = () => undefined,
): void {
  const undo: Undo[] = [];
  /** Run after all others: a rule of the node goes when its table is empty. */
  const undoShared: Undo[] = [];
  for (const [index, item] of plan.items.entries()) {
    try {
      beforeItem(item, index);
      const step = applyItem(item, node, pod);
      if (step !== undefined) (isShared(item) ? undoShared : undo).push(step);
    } catch (error) {
      for (const step of [...undo.reverse(), ...undoShared]) {
        try {
          step();
        } catch {
          // the first failure is the one to tell; DEL and GC remove what is left
        }
      }
      throw new ApplyError(item, error);
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
    case "neighbour": {
      const link = indexOf(where, item.device);
      const body = encodeNeighbour({
        family: familyOf(item.address),
        link,
        address: item.address,
        mac: item.mac,
        state: NUD_PERMANENT,
      });
      where.socket.execute(describeItem(item), RTM_NEIGHBOUR.new, FLAG.create | FLAG.replace, body);
      return () => {
        where.socket.execute(describeItem(item), RTM_NEIGHBOUR.del, 0, body);
      };
    }
    case "route": {
      const body = encodeRoute(kernelRoute(item, indexOf(where, item.device)));
      where.socket.execute(describeItem(item), RTM_ROUTE.new, FLAG.create | FLAG.replace, body);
      return () => {
        if (!restoreReplaced(item, where)) where.socket.execute(describeItem(item), RTM_ROUTE.del, 0, body);
      };
    }
    case "rule": {
      const body = encodeRule(kernelRule(item));
      try {
        where.socket.execute(describeItem(item), RTM_RULE.new, FLAG.create | FLAG.excl, body);
      } catch (error) {
        if (error instanceof NetlinkError && error.code === "EEXIST") return undefined;
        throw error;
      }
      return () => {
        if (item.where === "node") removeSharedRule(item, where);
        else where.socket.execute(describeItem(item), RTM_RULE.del, 0, body);
      };
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
