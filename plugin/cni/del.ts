import { existsSync } from "node:fs";
import { removeLink } from "../datapath/apply.ts";
import {
  type Attachment,
  attachmentsDirectory,
  listAttachments,
  readAttachment,
  removeAttachment,
} from "../datapath/attachment.ts";
import { STATE_DIRECTORY } from "../datapath/facts.ts";
import { Namespace } from "../datapath/kernel.ts";
import { nodeLinkName } from "../datapath/names.ts";
import { describeItem } from "../datapath/plan.ts";
import { withPodLock } from "../datapath/pod-lock.ts";
import { undoPlan } from "../datapath/undo.ts";

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
          alive ? sharedLines(containerId, ifname, directory) : NONE,
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

/** What other NICs of the same pod need as well. */
function sharedLines(containerId: string, ifname: string, directory: string): ReadonlySet<string> {
  const others = listAttachments(directory).filter((a) => a.containerId === containerId && a.ifname !== ifname);
  return new Set(others.flatMap(({ plan }) => plan.items.map(describeItem)));
}

/** Section 2 "GC": what has no valid attachment is removed as DEL would. Returns what was. */
export function collectGarbage(
  valid: readonly { readonly containerID: string; readonly ifname: string }[],
  stateDirectory = STATE_DIRECTORY,
): readonly Attachment[] {
  const keep = new Set(valid.map((a) => `${a.containerID}/${a.ifname}`));
  const stale = listAttachments(attachmentsDirectory(stateDirectory)).filter(
    (a) => !keep.has(`${a.containerId}/${a.ifname}`),
  );
  for (const attachment of stale) del({ ...attachment, netns: "" }, stateDirectory);
  return stale;
}
