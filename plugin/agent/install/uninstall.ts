import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cmdDel } from "../../cni/del.ts";
import { getAttachmentsDirectory, listAttachments } from "../../state/attachment.ts";
import { listPendingTeardowns } from "../../state/pending-teardown.ts";
import { NODE_NFT_TABLE } from "../../datapath/plan/node-table.ts";
import { removeForwardRules } from "../kube-proxy/forward-chain.ts";
import { INSTALLED } from "./install.ts";
import { resetNeighbourLimits } from "../reconcile/neighbour-limits.ts";
import { deleteNodeTable } from "../reconcile/node-table.ts";
import type { NodePlaces } from "./paths.ts";
import { readTcpBeLiberal, resetTcpBeLiberal } from "../reconcile/return-path.ts";
import { resetTunnels } from "../reconcile/rp-filter.ts";

/**
 * Leaves the node as it was before the first agent: what is wired is taken apart (pods that still run lose the way
 * through their node, and keep their addresses), then tables, sysctl, plugins and files go. Idempotent; the agent must
 * not run. Returns a line for each thing that went.
 */
export async function uninstall({
  binDirectory,
  stateDirectory,
  runDirectory,
  logDirectory,
}: NodePlaces): Promise<readonly string[]> {
  const done: string[] = [];
  // The plugins first: nothing is wired any more from here.
  for (const name of [...INSTALLED, ...INSTALLED.map((one) => `${one}.new`)])
    if (readdirSync(binDirectory).includes(name)) {
      rmSync(join(binDirectory, name));
      done.push(`${join(binDirectory, name)} removed`);
    }
  const attachments = getAttachmentsDirectory(stateDirectory);
  for (const { containerId, ifname, netns, pod } of [
    ...listAttachments(attachments),
    ...listPendingTeardowns(attachments),
  ]) {
    cmdDel({ containerId, ifname, netns }, stateDirectory);
    done.push(`${pod.namespace}/${pod.name} ${ifname} taken apart`);
  }
  if (deleteNodeTable()) done.push(`nftables table ${NODE_NFT_TABLE} removed`);
  done.push(...(await removeForwardRules()));
  done.push(...resetTunnels());
  done.push(...resetNeighbourLimits());
  const before = readTcpBeLiberal();
  if (resetTcpBeLiberal()) done.push(`nf_conntrack_tcp_be_liberal set back to 0 from ${before}`);
  for (const directory of [stateDirectory, runDirectory, logDirectory])
    if (empty(directory)) done.push(`${directory} removed`);
  return done;
}

/** With everything in it; a directory that is mounted here stays, empty. */
function empty(directory: string): boolean {
  if (!existsSync(directory)) return false;
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
  try {
    rmdirSync(directory);
  } catch {
    // Busy: the volume of the DaemonSet that runs this.
  }
  return true;
}
