import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Attachment, readAttachmentFile } from "./attachment.ts";

/**
 * Records of attachments whose DEL has been answered by the agent before the kernel had taken the pair away, which takes
 * some 20 ms of grace periods (synchronize_net). Nothing of them leads anywhere any more; who finds one finishes it. They
 * lie apart, so that whoever lists attachments sees the living alone.
 */
function getPendingDirectory(attachments: string): string {
  return join(dirname(attachments), "ended");
}

const getFileName = (containerId: string, ifname: string): string => `${containerId}-${ifname}.json`;

/** The attachment's record becomes an ended one, in one step. */
export function deferTeardown(containerId: string, ifname: string, attachments: string): void {
  const directory = getPendingDirectory(attachments);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const name = getFileName(containerId, ifname);
  renameSync(join(attachments, name), join(directory, name));
}

export function readPendingTeardown(containerId: string, ifname: string, attachments: string): Attachment | undefined {
  return readAttachmentFile(join(getPendingDirectory(attachments), getFileName(containerId, ifname)));
}

/** When there is nothing left of it, or it lives again. */
export function removePendingTeardown(containerId: string, ifname: string, attachments: string): void {
  rmSync(join(getPendingDirectory(attachments), getFileName(containerId, ifname)), { force: true });
}

export interface PendingTeardown extends Attachment {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export function listPendingTeardowns(attachments: string): readonly PendingTeardown[] {
  const directory = getPendingDirectory(attachments);
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return []; // none has ended so yet
  }
  return names.flatMap((name) => {
    const file = join(directory, name);
    const attachment = readAttachmentFile(file);
    // The rename is a change of the file's state, not of its content.
    const since = statSync(file, { throwIfNoEntry: false })?.ctimeMs;
    return attachment === undefined || since === undefined ? [] : [{ ...attachment, since }];
  });
}
