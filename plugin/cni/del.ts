import { existsSync } from "node:fs";
import { removeLink } from "../datapath/apply.ts";
import {
  type Attachment,
  attachmentsDirectory,
  linesOfOthers,
  listAttachments,
  readAttachment,
  removeAttachment,
} from "../datapath/attachment.ts";
import { STATE_DIRECTORY } from "../datapath/facts.ts";
import { Namespace } from "../datapath/kernel.ts";
import { nodeLinkName } from "../datapath/names.ts";
import { withPodLock } from "../datapath/pod-lock.ts";
import { undoPlan } from "../datapath/undo.ts";
import { CniError, CODE } from "./error.ts";
import type { ValidAttachment } from "./request.ts";

interface Target {
  readonly containerId: string;
  readonly ifname: string;
  /** Empty: as recorded. */
  readonly netns: string;
}

/**
 * CNI spec 1.1.0, section 2 "DEL": needs nothing but its arguments and the local record; succeeds when everything is gone
 * already, the namespace included.
 */
export function del(target: Target, stateDirectory = STATE_DIRECTORY): void {
  const { containerId, ifname } = target;
  const directory = attachmentsDirectory(stateDirectory);
  const recorded = () => readAttachment(containerId, ifname, directory);
  const netns = target.netns === "" ? (recorded()?.netns ?? "") : target.netns;
  withPodLock(netns, () => {
    const node = new Namespace();
    try {
      const record = recorded();
      if (record !== undefined) {
        const alive = existsSync(netns);
        undoPlan(
          record.plan,
          node,
          alive ? netns : undefined,
          alive ? linesOfOthers(containerId, ifname, directory) : NONE,
        );
      }
      // Without a record (killed before it was written, or lost) the pair is still found by its name, and routes go with it.
      removeLink(node, nodeLinkName(containerId, ifname));
    } finally {
      node.close();
    }
    removeAttachment(containerId, ifname, directory);
  });
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Section 2 "GC": what has no valid attachment to this network is removed as DEL would; other networks' attachments are
 * none of this call's business. One that cannot be removed does not keep the others. Returns what was removed.
 * @throws CniError naming those that could not be removed
 */
export function collectGarbage(
  network: string,
  valid: readonly ValidAttachment[],
  stateDirectory = STATE_DIRECTORY,
): readonly Attachment[] {
  const keep = new Set(valid.map((a) => `${a.containerID}/${a.ifname}`));
  const stale = listAttachments(attachmentsDirectory(stateDirectory)).filter(
    (a) => a.network === network && !keep.has(`${a.containerId}/${a.ifname}`),
  );
  const failures = stale.flatMap((attachment) => {
    try {
      del({ ...attachment, netns: "" }, stateDirectory);
      return [];
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return [`${attachment.ifname} of container ${attachment.containerId}: ${said}`];
    }
  });
  if (failures.length > 0)
    throw new CniError(CODE.io, `of ${stale.length} stale attachments could not be removed: ${failures.join("; ")}`);
  return stale;
}
