import { RTM_LINK, encodeLinkChange, encodeLinkName, encodeVethPair } from "../../netlink/link.ts";
import { NLM_FLAG } from "../../netlink/message.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import { applyMessage, applyMessages, isMessage } from "./apply-messages.ts";
import type { OnAttempt, OnApplied, Undo } from "./apply-step.ts";
import { applySysctls, isSysctl, writeSysctl } from "./apply-sysctls.ts";
import { ignoreNotFound } from "./ignore-not-found.ts";
import { type NetworkNamespace, withNamespaceFd } from "../kernel.ts";
import { describeItem, type MacItem, type Plan, type PlanItem, type VethItem, type Where } from "../plan-item.ts";
import { applyReplyMark, removeReplyMark } from "./reply-mark.ts";
import { applySourceGuard, removeSourceGuard } from "./source-guard.ts";
import { isShared } from "./shared-rule.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

/** The kernel rejected an item of a plan; the items before it were undone. */
export class ApplyError extends Error {
  constructor(item: PlanItem, cause: unknown) {
    super(`${describeItem(item)}: ${getErrorMessage(cause)}`, { cause });
    this.name = "ApplyError";
  }
}

/**
 * Applies the items of a plan in order. Idempotent: existing state is kept.
 * @param beforeItem called before each item; an error that it throws fails the item (for tests)
 * @throws ApplyError after undoing the changes of this call
 */
export function applyPlan(
  plan: Plan,
  node: NetworkNamespace,
  pod: NetworkNamespace,
  beforeItem?: (item: PlanItem, index: number) => void,
): void {
  const undo: Undo[] = [];
  /** Undo steps that run last: a shared rule of the node is removed only when its table is empty. */
  const undoShared: Undo[] = [];
  const recordApplied = (item: PlanItem, step: Undo | undefined): void => {
    if (step !== undefined) (isShared(item) ? undoShared : undo).push(step);
  };
  let failing: PlanItem | undefined;
  try {
    const onAttempt = (item: PlanItem): void => {
      failing = item;
    };
    for (let index = 0; index < plan.items.length;) {
      failing = plan.items[index];
      const messages = beforeItem === undefined ? takeRun(plan.items, index, isMessage) : [];
      const sysctls = beforeItem === undefined ? takeRun(plan.items, index, isSysctl) : [];
      if (messages.length > 1) applyByNamespace(messages, node, pod, applyMessages, recordApplied, onAttempt);
      else if (sysctls.length > 1) applyByNamespace(sysctls, node, pod, applySysctls, recordApplied, onAttempt);
      else if (failing !== undefined) {
        beforeItem?.(failing, index);
        recordApplied(failing, applyItem(failing, node, pod));
      }
      index += Math.max(1, messages.length, sysctls.length);
    }
  } catch (error) {
    for (const step of [...undo.reverse(), ...undoShared]) {
      try {
        step();
      } catch {
        // report the first failure; DEL and GC remove the rest
      }
    }
    throw failing === undefined ? error : new ApplyError(failing, error);
  }
}

/** Returns the consecutive items of one kind from `index` on. */
function takeRun<T extends PlanItem>(
  items: readonly PlanItem[],
  index: number,
  matches: (item: PlanItem) => item is T,
): readonly T[] {
  const run: T[] = [];
  for (let item = items[index]; item !== undefined && matches(item); item = items[index + run.length]) run.push(item);
  return run;
}

/** Applies the items of one namespace in order, then those of the other; they do not depend on each other. */
function applyByNamespace<T extends PlanItem & { readonly where: Where }>(
  run: readonly T[],
  node: NetworkNamespace,
  pod: NetworkNamespace,
  apply: (items: readonly T[], where: NetworkNamespace, onApplied: OnApplied, onAttempt: OnAttempt) => void,
  onApplied: OnApplied,
  onAttempt: OnAttempt,
): void {
  for (const where of new Set(run.map((item) => item.where)))
    apply(
      run.filter((item) => item.where === where),
      where === "node" ? node : pod,
      onApplied,
      onAttempt,
    );
}

/** Applies one item. @returns its undo step; undefined if it already existed */
export function applyItem(item: PlanItem, node: NetworkNamespace, pod: NetworkNamespace): Undo | undefined {
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
    case "source-guard":
      applySourceGuard(item, where);
      return () => {
        removeSourceGuard(item.device, where);
      };
  }
}

/** Creates the pair. Recreates it if only one end is correct, because the other end belongs to a previous pod. */
function applyVeth(item: VethItem, node: NetworkNamespace, pod: NetworkNamespace): Undo | undefined {
  const createPair = (): Undo => {
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
    return createPair(); // the usual case: neither end exists
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
  }
  const nodeEnd = node.findLink(item.node.name);
  const podEnd = pod.findLink(item.pod.name);
  if (nodeEnd !== undefined && podEnd?.link === nodeEnd.index && podEnd.mac === item.pod.mac) return undefined;
  if (nodeEnd !== undefined) removeLink(node, item.node.name);
  if (podEnd !== undefined) removeLink(pod, item.pod.name);
  return createPair();
}

function applyMac({ device, mac }: MacItem, where: NetworkNamespace): Undo | undefined {
  const link = where.findLink(device);
  if (link === undefined) throw new Error(`link ${device} does not exist`);
  if (link.mac === mac) return undefined;
  const setMac = (address: string): void => {
    const body = encodeLinkChange({ index: link.index, mac: address });
    where.socket.execute(`link ${device} address ${address}`, RTM_LINK.new, 0, body);
    where.forgetLinks();
  };
  setMac(mac);
  return () => {
    setMac(link.mac);
  };
}

/** Removes a link by name. Succeeds if it does not exist. */
export function removeLink(namespace: NetworkNamespace, name: string): void {
  ignoreNotFound(() => {
    namespace.socket.execute(`remove link ${name}`, RTM_LINK.del, 0, encodeLinkName(name));
  });
  namespace.forgetLinks();
}
