import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Attachment, readAttachmentFile } from "./attachment.ts";
import { createOwnDirectory } from "./own-files.ts";
import { PENDING_TEARDOWN_DIRECTORY } from "./rename-directories.ts";

/**
 * Records of attachments whose DEL the agent answered before the kernel removed the pair, which takes about 20 ms
 * (synchronize_net). Their routes and rules are already removed. They have their own directory, so that a list of
 * attachments contains existing ones only.
 */
function getPendingDirectory(attachments: string): string {
  return join(dirname(attachments), PENDING_TEARDOWN_DIRECTORY);
}

const getFileName = (containerId: string, ifname: string): string => `${containerId}-${ifname}.json`;

/** Moves an attachment's record to the pending teardowns, atomically. */
export function deferTeardown(containerId: string, ifname: string, attachments: string): void {
  const directory = getPendingDirectory(attachments);
  createOwnDirectory(directory);
  const name = getFileName(containerId, ifname);
  renameSync(join(attachments, name), join(directory, name));
}

/** Reads the attachment of a NIC whose teardown is deferred; undefined if none is. */
export function readPendingTeardown(containerId: string, ifname: string, attachments: string): Attachment | undefined {
  return readAttachmentFile(join(getPendingDirectory(attachments), getFileName(containerId, ifname)));
}

/** Removes the record, after the teardown or when the attachment was added again. */
export function removePendingTeardown(containerId: string, ifname: string, attachments: string): void {
  rmSync(join(getPendingDirectory(attachments), getFileName(containerId, ifname)), { force: true });
}

interface PendingTeardown extends Attachment {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Lists the teardowns that DEL has deferred. */
export function listPendingTeardowns(attachments: string): readonly PendingTeardown[] {
  const directory = getPendingDirectory(attachments);
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return []; // no teardown was deferred yet
  }
  return names.flatMap((name) => {
    const file = join(directory, name);
    const attachment = readAttachmentFile(file);
    // The rename is a change of the file's state, not of its content.
    const since = statSync(file, { throwIfNoEntry: false })?.ctimeMs;
    return attachment === undefined || since === undefined ? [] : [{ ...attachment, since }];
  });
}
