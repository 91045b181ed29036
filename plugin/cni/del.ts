import { existsSync } from "node:fs";
import { removeLink } from "../datapath/apply/apply-plan.ts";
import {
  type Attachment,
  getAttachmentsDirectory,
  findSharedItems,
  listAttachments,
  readAttachment,
  removeAttachment,
} from "../state/attachment.ts";
import {
  deferTeardown,
  removePendingTeardown,
  listPendingTeardowns,
  readPendingTeardown,
} from "../state/pending-teardown.ts";
import { NetworkNamespace } from "../datapath/kernel.ts";
import { buildNodeLinkName } from "../datapath/names.ts";
import type { PlanItem } from "../datapath/plan-item.ts";
import { withFreePodLock, withPodLock } from "../datapath/pod-lock.ts";
import { removeSourceGuard } from "../datapath/apply/source-guard.ts";
import { undoPlan } from "../datapath/apply/undo.ts";
import { RunStandaloneError } from "./cni-call.ts";
import { CniError, CODE } from "./error.ts";
import type { ValidAttachment } from "./request.ts";
import { getErrorMessage } from "../errors/error-message.ts";

interface Target {
  readonly containerId: string;
  readonly ifname: string;
  /** If empty, the path in the record is used. */
  readonly netns: string;
}

/**
 * Executes DEL (CNI spec 1.1.0, section 2), which needs only its arguments and the local record. Succeeds if the state or the
 * namespace does not exist any more.
 */
export function cmdDel(target: Target, stateDirectory: string): void {
  const directory = getAttachmentsDirectory(stateDirectory);
  const netns = target.netns === "" ? (readRecord(target, directory)?.netns ?? "") : target.netns;
  withPodLock(netns, () => {
    tearDown({ ...target, netns }, directory);
  });
}

function readRecord({ containerId, ifname }: Target, directory: string): Attachment | undefined {
  return readAttachment(containerId, ifname, directory) ?? readPendingTeardown(containerId, ifname, directory);
}

/** Removes all state of an attachment. The caller holds the pod's lock. */
function tearDown(target: Target, directory: string): void {
  const { containerId, ifname, netns } = target;
  const node = new NetworkNamespace();
  try {
    const record = readRecord(target, directory);
    if (record !== undefined) {
      const namespaceExists = existsSync(netns);
      undoPlan(
        record.plan,
        node,
        namespaceExists ? netns : undefined,
        namespaceExists ? findSharedItems(containerId, ifname, directory) : NO_SHARED_ITEMS,
      );
    }
    // Without a record (lost, or ADD was killed before it) the pair is found by its name; its routes are removed with it.
    removeSourceGuard(buildNodeLinkName(containerId, ifname), node);
    removeLink(node, buildNodeLinkName(containerId, ifname));
  } finally {
    node.close();
  }
  removeAttachment(containerId, ifname, directory);
  removePendingTeardown(containerId, ifname, directory);
}

/** Reports whether the kernel removes an item slowly. Such items carry no traffic without routes and rules. */
const isRemovedLater = ({ kind }: PlanItem): boolean =>
  kind === "veth" || kind === "reply-mark" || kind === "source-guard";

/**
 * Executes DEL in the agent: removes routes, rules and neighbours immediately, because they would misroute a later pod with the
 * same address. The pair is removed with its namespace, or by completeTeardowns.
 *
 * @throws PodBusyError or RunStandaloneError if it would have to wait; nothing is changed then
 */
export function cmdDelDeferred(target: Target, stateDirectory: string): void {
  const { containerId, ifname } = target;
  const directory = getAttachmentsDirectory(stateDirectory);
  const netns = target.netns === "" ? (readRecord(target, directory)?.netns ?? "") : target.netns;
  withFreePodLock(netns, () => {
    const node = new NetworkNamespace();
    try {
      const record = readAttachment(containerId, ifname, directory);
      const link = node.findLink(buildNodeLinkName(containerId, ifname));
      if (record === undefined) {
        if (link !== undefined && readPendingTeardown(containerId, ifname, directory) === undefined)
          throw new RunStandaloneError(`${link.name} has no record`);
        return;
      }
      const namespaceExists = existsSync(netns);
      const items = record.plan.items.filter((item) => !isRemovedLater(item));
      const shared = namespaceExists ? findSharedItems(containerId, ifname, directory) : NO_SHARED_ITEMS;
      undoPlan({ items }, node, namespaceExists ? netns : undefined, shared);
      if (link !== undefined || (namespaceExists && items.length < record.plan.items.length))
        deferTeardown(containerId, ifname, directory);
      else removeAttachment(containerId, ifname, directory);
    } finally {
      node.close();
    }
  });
}

/** Time for a runtime to remove the pod's namespace after DEL, and for the kernel to clean it up, in milliseconds. */
const FINISH_AFTER_MS = 1000;

/**
 * Completes pending teardowns: immediately if the pair was removed with its namespace, otherwise after FINISH_AFTER_MS.
 * Yields to the event loop between them, because the kernel can take some time for each.
 */
export async function completeTeardowns(stateDirectory: string): Promise<void> {
  const directory = getAttachmentsDirectory(stateDirectory);
  for (const { containerId, ifname, netns, since } of listPendingTeardowns(directory)) {
    if (Date.now() - since < FINISH_AFTER_MS && (existsSync(netns) || hasLink(buildNodeLinkName(containerId, ifname))))
      continue;
    try {
      withFreePodLock(netns, () => {
        const isAttachedAgain = readAttachment(containerId, ifname, directory) !== undefined;
        if (isAttachedAgain)
          removePendingTeardown(containerId, ifname, directory); // the attachment was added again
        else tearDown({ containerId, ifname, netns }, directory);
      });
    } catch {
      // locked, or its namespace is being removed: retried in the next pass
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function hasLink(name: string): boolean {
  const node = new NetworkNamespace();
  try {
    return node.findLink(name) !== undefined;
  } finally {
    node.close();
  }
}

const NO_SHARED_ITEMS: ReadonlySet<string> = new Set();

/**
 * Executes GC (CNI spec 1.1.0, section 2): removes the attachments of this network that are not in `valid`, and its pending
 * teardowns. Continues after a failure.
 *
 * @returns the removed attachments
 * @throws CniError that lists the attachments that could not be removed
 */
export function collectGarbage(
  network: string,
  valid: readonly ValidAttachment[],
  stateDirectory: string,
): readonly Attachment[] {
  const stale = findStaleAttachments(network, valid, stateDirectory);
  const failures = stale.flatMap((attachment) => {
    try {
      cmdDel({ ...attachment, netns: "" }, stateDirectory);
      return [];
    } catch (error) {
      const message = getErrorMessage(error);
      return [`${attachment.ifname} of container ${attachment.containerId}: ${message}`];
    }
  });
  if (failures.length > 0)
    throw new CniError(
      CODE.io,
      `failed to remove ${failures.length} of ${stale.length} stale attachments: ${failures.join("; ")}`,
    );
  return stale;
}

/** Lists the attachments and pending teardowns that GC must remove. */
export function findStaleAttachments(
  network: string,
  valid: readonly ValidAttachment[],
  stateDirectory: string,
): readonly Attachment[] {
  const directory = getAttachmentsDirectory(stateDirectory);
  const validKeys = new Set(valid.map((attachment) => `${attachment.containerID}/${attachment.ifname}`));
  const attachments = listAttachments(directory);
  const attachedKeys = new Set(attachments.map((attachment) => `${attachment.containerId}/${attachment.ifname}`));
  return [
    ...attachments.filter((attachment) => !validKeys.has(`${attachment.containerId}/${attachment.ifname}`)),
    ...listPendingTeardowns(directory).filter(
      (attachment) => !attachedKeys.has(`${attachment.containerId}/${attachment.ifname}`),
    ),
  ].filter((attachment) => attachment.network === network);
}
