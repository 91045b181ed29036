import { RTM_LINK, encodeLinkChange, encodeLinkName, encodeVethPair } from "../../netlink/link.ts";
import { NLM_FLAG } from "../../netlink/message.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import { applyMessage, applyMessages, isMessage } from "./apply-messages.ts";
import type { OnAttempt, OnApplied, Undo } from "./apply-step.ts";
import { applySysctls, isSysctl, writeSysctl } from "./apply-sysctls.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import { type Namespace, withNamespaceFd } from "../kernel.ts";
import { describeItem, type MacItem, type Plan, type PlanItem, type VethItem, type Where } from "../plan/plan.ts";
import { applyReplyMark, removeReplyMark } from "./reply-mark.ts";
import { isShared } from "./shared-rule.ts";

/** A step of a plan that the kernel refused; what was made before it is undone. */
export class ApplyError extends Error {
  constructor(item: PlanItem, cause: unknown) {
    super(`${describeItem(item)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "ApplyError";
  }
}

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
    const failed = (item: PlanItem): void => {
      failing = item;
    };
    for (let index = 0; index < plan.items.length;) {
      failing = plan.items[index];
      const messages = beforeItem === undefined ? takeRun(plan.items, index, isMessage) : [];
      const sysctls = beforeItem === undefined ? takeRun(plan.items, index, isSysctl) : [];
      if (messages.length > 1) applyByNamespace(messages, node, pod, applyMessages, made, failed);
      else if (sysctls.length > 1) applyByNamespace(sysctls, node, pod, applySysctls, made, failed);
      else if (failing !== undefined) {
        beforeItem?.(failing, index);
        made(failing, applyItem(failing, node, pod));
      }
      index += Math.max(1, messages.length, sysctls.length);
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

/** What is of one kind from `index` on. */
function takeRun<T extends PlanItem>(
  items: readonly PlanItem[],
  index: number,
  isOne: (item: PlanItem) => item is T,
): readonly T[] {
  const run: T[] = [];
  for (let item = items[index]; item !== undefined && isOne(item); item = items[index + run.length]) run.push(item);
  return run;
}

/** A run's items of one namespace, in their order, then the other's: neither end of a pair waits for the other's lines. */
function applyByNamespace<T extends PlanItem & { readonly where: Where }>(
  run: readonly T[],
  node: Namespace,
  pod: Namespace,
  apply: (items: readonly T[], where: Namespace, made: OnApplied, failed: OnAttempt) => void,
  made: OnApplied,
  failed: OnAttempt,
): void {
  for (const where of new Set(run.map((item) => item.where)))
    apply(
      run.filter((item) => item.where === where),
      where === "node" ? node : pod,
      made,
      failed,
    );
}

/** Returns how to undo it; undefined if it was there. */
export function applyItem(item: PlanItem, node: Namespace, pod: Namespace): Undo | undefined {
  const where = item.kind !== "veth" && item.where === "node" ? node : pod;
  switch (item.kind) {
    case "veth":
      return applyVeth(item, node, pod);
    case "mac":
      return applyMac(item, where);
    case "sysctl":
      return where.run(() => writeSysctl(item, where));
    case "up":
    case "neighbour":
    case "route":
    case "rule":
      return applyMessage(item, where);
    case "reply-mark":
      applyReplyMark(item, where);
      return () => {
        removeReplyMark(where);
      };
  }
}

/** A pair half of which is ours and half another's is made anew: the other end was of an earlier life. */
function applyVeth(item: VethItem, node: Namespace, pod: Namespace): Undo | undefined {
  const make = (): Undo => {
    withNamespaceFd(pod.path ?? "/proc/self/ns/net", (fd) => {
      const body = encodeVethPair(item.node, item.pod, fd, item);
      node.socket.execute(describeItem(item), RTM_LINK.new, NLM_FLAG.create | NLM_FLAG.excl, body);
    });
    node.forgetLinks();
    pod.forgetLinks();
    return () => {
      removeLink(node, item.node.name);
    };
  };
  try {
    return make(); // as nearly always: nothing is there
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
  }
  const nodeEnd = node.findLink(item.node.name);
  const podEnd = pod.findLink(item.pod.name);
  if (nodeEnd !== undefined && podEnd?.link === nodeEnd.index && podEnd.mac === item.pod.mac) return undefined;
  if (nodeEnd !== undefined) removeLink(node, item.node.name);
  if (podEnd !== undefined) removeLink(pod, item.pod.name);
  return make();
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
  ignoreNotFound(() => {
    namespace.socket.execute(`remove link ${name}`, RTM_LINK.del, 0, encodeLinkName(name));
  });
  namespace.forgetLinks();
}
