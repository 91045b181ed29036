import { lstatSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cmdDel } from "../../cni/del.ts";
import { getAttachmentsDirectory, listAttachments } from "../../state/attachment.ts";
import { listPendingTeardowns } from "../../state/pending-teardown.ts";
import { NODE_NFT_TABLE } from "../../datapath/plan/node-table.ts";
import { removeForwardRules } from "../kube-proxy/forward-chain.ts";
import { INSTALLED_FILES, LIBRARY_DIRECTORY } from "./install.ts";
import { restoreNeighbourLimits } from "../reconcile/neighbour-limits.ts";
import { removeGuardsWithoutPair } from "../reconcile/guard-drops.ts";
import { deleteNodeTable } from "../reconcile/apply-node-table.ts";
import type { NodePaths } from "./node-paths.ts";
import { readTcpBeLiberal, restoreTcpBeLiberal } from "../reconcile/return-path.ts";
import { restoreRpFilter } from "../reconcile/rp-filter.ts";

/**
 * Removes Interlay from the node: the plugins, the attachments (running pods lose the routes through their node and keep their
 * addresses), then nftables tables, sysctls and files. Idempotent. The agent must not run.
 * @returns a line for each removed object
 */
export async function uninstallNode({
  binDirectory,
  stateDirectory,
  runDirectory,
  logDirectory,
}: NodePaths): Promise<readonly string[]> {
  const done: string[] = [];
  // First the plugins, so that no new pod is attached.
  for (const name of [...INSTALLED_FILES, ...INSTALLED_FILES.map((file) => `${file}.new`), LIBRARY_DIRECTORY])
    if (readdirSync(binDirectory).includes(name)) {
      rmSync(join(binDirectory, name), { recursive: true });
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
  removeGuardsWithoutPair();
  if (deleteNodeTable()) done.push(`nftables table ${NODE_NFT_TABLE} removed`);
  done.push(...(await removeForwardRules()));
  done.push(...restoreRpFilter());
  done.push(...restoreNeighbourLimits());
  const before = readTcpBeLiberal();
  if (restoreTcpBeLiberal()) done.push(`nf_conntrack_tcp_be_liberal set back to 0 from ${before}`);
  for (const directory of [stateDirectory, runDirectory, logDirectory])
    if (emptyDirectory(directory)) done.push(`${directory} removed`);
  return done;
}

/**
 * Removes a directory with its content. Empties a mount point; removes only the link of a symbolic link.
 * @returns false if it did not exist
 */
function emptyDirectory(directory: string): boolean {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (!stats.isDirectory()) {
    rmSync(directory);
    return true;
  }
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
  try {
    rmdirSync(directory);
  } catch {
    // EBUSY: the directory is a volume of the DaemonSet that runs this.
  }
  return true;
}
