import { existsSync } from "node:fs";
import { applyItem } from "../../datapath/apply/apply-plan.ts";
import {
  type Attachment,
  getAttachmentsDirectory,
  findSharedItems,
  listAttachments,
  readAttachment,
  writeAttachment,
} from "../../state/attachment.ts";
import { type Facts, addHijackCidrs } from "../../datapath/facts.ts";
import { NetworkNamespace, withNamespaces } from "../../datapath/kernel.ts";
import { describeItem, type PlanItem } from "../../datapath/plan-item.ts";
import { tryPodLock } from "../../datapath/pod-lock.ts";
import { type KernelDumps, readDrift } from "../../datapath/apply/read-drift.ts";
import { rebuildPlan } from "../../datapath/plan/rebuild-plan.ts";
import { undoPlan } from "../../datapath/apply/undo.ts";
import { runInNamespace } from "../../netlink/namespace.ts";
import { cmdDel } from "../../cni/del.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

/**
 * Items that a pass checks. `all`: every item. `silent`: only items whose changes cause no kernel event; if one of them differs, all
 * items of that attachment.
 */
export type RepairScope = "all" | "silent";

/** Time after which an attachment that was skipped during its ADD or DEL is checked again, in milliseconds. */
export const BUSY_MS = 500;

export interface RepairReport {
  readonly attachments: number;
  /** Missing items that were restored, a line each. */
  readonly repaired: readonly string[];
  /** Items that could not be restored. */
  readonly failed: readonly string[];
  /** Attachments removed because their namespace no longer exists (after a reboot, or without a DEL). */
  readonly removed: readonly string[];
  /** Number of attachments that were skipped because their ADD or DEL was running. */
  readonly busy: number;
}

/**
 * Restores missing items of every recorded attachment, on the node and in the pod. Ignores state that is not Interlay's.
 * Yields to the event loop between attachments, so that CNI calls are not delayed by a full pass.
 * @param facts current facts: attachments that were planned with other facts are planned again; undefined if unknown
 */
export async function repairAttachments(
  facts: Facts | undefined,
  stateDirectory: string,
  scope: RepairScope = "all",
): Promise<RepairReport> {
  const repaired: string[] = [];
  const failed: string[] = [];
  const removed: string[] = [];
  let busy = 0;
  const attachments = listAttachments(getAttachmentsDirectory(stateDirectory));
  const nodeDumps: KernelDumps = new Map<string, readonly unknown[]>();
  for (const attachment of attachments) {
    await new Promise((resolve) => setImmediate(resolve));
    const name = `${attachment.pod.namespace}/${attachment.pod.name} ${attachment.ifname}`;
    try {
      if (existsSync(attachment.netns)) {
        if (scope === "silent" && isUnwatchedStateIntact(attachment)) continue;
        const lines = tryPodLock(attachment.netns, () =>
          repairAttachment(attachment, facts, stateDirectory, nodeDumps),
        );
        if (lines === undefined) busy++;
        else repaired.push(...lines.map((line) => `${name}: ${line}`));
      } else {
        cmdDel(attachment, stateDirectory);
        removed.push(name);
      }
    } catch (error) {
      // The pod may have been deleted during the check: not a failure.
      if (existsSync(attachment.netns)) failed.push(`${name}: ${getErrorMessage(error)}`);
    }
  }
  return { attachments: attachments.length - removed.length, repaired, failed, removed, busy };
}

/** Checks sysctls and nftables tables, whose changes cause no kernel events, unlike routes, rules, links and neighbours. */
function isUnwatchedStateIntact({ netns, plan }: Attachment): boolean {
  const [nodeItems, podItems] = (["node", "pod"] as const).map((where) =>
    plan.items.filter((item) => isUnwatched(item) && item.where === where),
  );
  return isIntact(nodeItems) && runInNamespace(netns, () => isIntact(podItems));
}

type UnwatchedItem = Extract<PlanItem, { readonly kind: "sysctl" | "reply-mark" | "source-guard" }>;

function isUnwatched(item: PlanItem): item is UnwatchedItem {
  return item.kind === "sysctl" || item.kind === "reply-mark" || item.kind === "source-guard";
}

/** Checks items in the thread's current namespace: entering it for each item would be most of the cost. */
function isIntact(items: readonly PlanItem[] = []): boolean {
  if (items.length === 0) return true;
  const ownNamespace = new NetworkNamespace();
  try {
    return readDrift({ items }, ownNamespace, ownNamespace).length === 0;
  } finally {
    ownNamespace.close();
  }
}

/** Facts by which an attachment was planned last: an unchanged record is the same object and is not planned again. */
const plannedBy = new WeakMap<Attachment, Facts>();

/** Plans an attachment again with changed facts: records the new plan and removes obsolete items. */
function replanAttachment(attachment: Attachment, facts: Facts | undefined, directory: string): Attachment {
  if (facts === undefined || plannedBy.get(attachment) === facts) return attachment;
  const change = rebuildPlan(attachment, addHijackCidrs(facts, attachment.hijackCidrs));
  if (change === undefined) {
    plannedBy.set(attachment, facts);
    return attachment;
  }
  const updated = { ...attachment, plan: change.plan };
  writeAttachment(updated, directory);
  if (change.obsolete.length > 0) {
    const node = new NetworkNamespace();
    try {
      const { containerId, ifname, netns } = attachment;
      undoPlan({ items: change.obsolete }, node, netns, findSharedItems(containerId, ifname, directory));
    } finally {
      node.close();
    }
  }
  return updated;
}

/** Repairs an attachment. The caller holds the pod's lock, so no ADD or DEL runs. The record may have been deleted since it was listed. */
function repairAttachment(
  { containerId, ifname }: Attachment,
  facts: Facts | undefined,
  stateDirectory: string,
  nodeDumps: KernelDumps,
): readonly string[] {
  const directory = getAttachmentsDirectory(stateDirectory);
  const recorded = readAttachment(containerId, ifname, directory);
  if (recorded === undefined) return [];
  const attachment = replanAttachment(recorded, facts, directory);
  const lines = restoreItems(attachment, nodeDumps);
  // A DEL without a namespace does not wait for this pass, so it may have missed what was just restored.
  if (!existsSync(attachment.netns)) cmdDel(attachment, stateDirectory);
  return lines;
}

/**
 * Restores the missing items. Restoring a pair deletes its routes and neighbours, so a second round restores these.
 * @param nodeDumps the node's objects as read in this pass; they may be older than the attachment, so drift is read again
 */
function restoreItems(attachment: Attachment, nodeDumps: KernelDumps): readonly string[] {
  return withNamespaces(attachment.netns, (node: NetworkNamespace, pod: NetworkNamespace) => {
    if (readDrift(attachment.plan, node, pod, nodeDumps).length === 0) return [];
    const lines: string[] = [];
    for (let round = 0; round < 2; round++) {
      const drift = readDrift(attachment.plan, node, pod);
      for (const item of drift) applyItem(item, node, pod);
      lines.push(...drift.map(describeItem));
      if (drift.length === 0) return lines;
    }
    const remaining = readDrift(attachment.plan, node, pod);
    if (remaining.length > 0)
      throw new Error(
        `the kernel does not keep: ${remaining.map(describeItem).join("; ")}; find out which program removes or replaces it`,
      );
    return lines;
  });
}
