import { existsSync } from "node:fs";
import { applyItem } from "../../datapath/apply/apply.ts";
import {
  type Attachment,
  getAttachmentsDirectory,
  findSharedItems,
  listAttachments,
  readAttachment,
  writeAttachment,
} from "../../state/attachment.ts";
import { type Facts, STATE_DIRECTORY, addHijackCidrs } from "../../datapath/facts.ts";
import { Namespace, withNamespaces } from "../../datapath/kernel.ts";
import { describeItem, type PlanItem } from "../../datapath/plan/plan.ts";
import { tryPodLock } from "../../datapath/pod-lock.ts";
import { readDrift } from "../../datapath/apply/read-drift.ts";
import { rebuildPlan } from "../../datapath/plan/rebuild-plan.ts";
import { undoPlan } from "../../datapath/apply/undo.ts";
import { runInNamespace } from "../../netlink/namespace.ts";
import { cmdDel } from "../../cni/del.ts";

/**
 * `all`: everything of every attachment. `silent`: only what no event of the kernel tells of; where something of that is
 * amiss, all of that attachment.
 */
export type Look = "all" | "silent";

/** When to look again at a pod that was in the middle of its ADD or DEL, in milliseconds. */
export const BUSY_MS = 500;

export interface RepairReport {
  readonly attachments: number;
  /** What was missing and has been put back, a line each. */
  readonly repaired: readonly string[];
  /** What could not be put back. */
  readonly failed: readonly string[];
  /** Attachments whose namespace is gone (a node that has rebooted, a DEL that never came): nothing of them is left. */
  readonly removed: readonly string[];
  /** How many have not been looked at: they are in the middle of their ADD or DEL. */
  readonly busy: number;
}

/**
 * Puts back what is missing of every recorded attachment, on the node and in the pod. Foreign state is not looked at.
 * Between two attachments others have their turn: calls are not to wait for the whole pass.
 * @param facts found now: a pod that was wired by others gets the routes of these
 */
export async function repairAttachments(
  facts?: Facts,
  stateDirectory = STATE_DIRECTORY,
  look: Look = "all",
): Promise<RepairReport> {
  const repaired: string[] = [];
  const failed: string[] = [];
  const removed: string[] = [];
  let busy = 0;
  const attachments = listAttachments(getAttachmentsDirectory(stateDirectory));
  for (const attachment of attachments) {
    await new Promise((resolve) => setImmediate(resolve));
    const name = `${attachment.pod.namespace}/${attachment.pod.name} ${attachment.ifname}`;
    try {
      if (existsSync(attachment.netns)) {
        if (look === "silent" && silentIsWell(attachment)) continue;
        const lines = tryPodLock(attachment.netns, () => repairOne(attachment, facts, stateDirectory));
        if (lines === undefined) busy++;
        else repaired.push(...lines.map((line) => `${name}: ${line}`));
      } else {
        cmdDel(attachment, stateDirectory);
        removed.push(name);
      }
    } catch (error) {
      // It may have gone while it was looked at: that is no failure.
      if (existsSync(attachment.netns))
        failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { attachments: attachments.length - removed.length, repaired, failed, removed, busy };
}

/** Routes, rules, links and neighbours that change are told; of sysctls some are, of nftables in pods nothing is. */
function silentIsWell({ netns, plan }: Attachment): boolean {
  const [node, pod] = (["node", "pod"] as const).map((where) =>
    plan.items.filter((item) => (item.kind === "sysctl" || item.kind === "reply-mark") && item.where === where),
  );
  return isWell(node) && runInNamespace(netns, () => isWell(pod));
}

/** In the namespace that this thread is in: entering it for each would be most of what looking costs. */
function isWell(items: readonly PlanItem[] = []): boolean {
  if (items.length === 0) return true;
  const here = new Namespace();
  try {
    return readDrift({ items }, here, here).length === 0;
  } finally {
    here.close();
  }
}

/** Makes the plan follow the facts and records it; items that it no longer has are removed. */
function renewed(attachment: Attachment, facts: Facts | undefined, directory: string): Attachment {
  const change =
    facts === undefined ? undefined : rebuildPlan(attachment, addHijackCidrs(facts, attachment.hijackCidrs));
  if (change === undefined) return attachment;
  const now = { ...attachment, plan: change.plan };
  writeAttachment(now, directory);
  if (change.obsolete.length > 0) {
    const node = new Namespace();
    try {
      const { containerId, ifname, netns } = attachment;
      undoPlan({ items: change.obsolete }, node, netns, findSharedItems(containerId, ifname, directory));
    } finally {
      node.close();
    }
  }
  return now;
}

/** Called with the pod's lock: no ADD or DEL is at work. Its record may have gone since it was listed. */
function repairOne(
  { containerId, ifname }: Attachment,
  facts: Facts | undefined,
  stateDirectory: string,
): readonly string[] {
  const directory = getAttachmentsDirectory(stateDirectory);
  const recorded = readAttachment(containerId, ifname, directory);
  if (recorded === undefined) return [];
  const attachment = renewed(recorded, facts, directory);
  const lines = putBack(attachment);
  // A DEL that finds the namespace gone does not wait for us: what it did not see goes now.
  if (!existsSync(attachment.netns)) cmdDel(attachment, stateDirectory);
  return lines;
}

/** Putting a pair back takes its routes and neighbours with it: what the first round brought down, the second puts up. */
function putBack(attachment: Attachment): readonly string[] {
  return withNamespaces(attachment.netns, (node: Namespace, pod: Namespace) => {
    const lines: string[] = [];
    for (let round = 0; round < 2; round++) {
      const drift = readDrift(attachment.plan, node, pod);
      for (const item of drift) applyItem(item, node, pod);
      lines.push(...drift.map(describeItem));
      if (drift.length === 0) return lines;
    }
    const left = readDrift(attachment.plan, node, pod);
    if (left.length > 0)
      throw new Error(`the kernel does not keep: ${left.map(describeItem).join("; ")}; see who removes or replaces it`);
    return lines;
  });
}
