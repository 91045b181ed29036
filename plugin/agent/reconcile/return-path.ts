import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { getFamily } from "../../datapath/address.ts";
import type { Facts } from "../../datapath/facts.ts";
import { buildSysctlPath } from "../../datapath/sysctl-path.ts";
import { createOwnDirectory, writeFileAtomic } from "../../state/own-files.ts";
import { readNodeLinks } from "./overlay-routes.ts";
import { applyNodeTable } from "./apply-node-table.ts";

const BE_LIBERAL = buildSysctlPath("netfilter/nf_conntrack_tcp_be_liberal");
/** File that exists while the agent has set the sysctl to 1; the agent restores it only then. A reboot resets both. */
const LIBERAL_MARK = "/run/interlay/be-liberal-was-0";

/** Reads net.netfilter.nf_conntrack_tcp_be_liberal; 0 if conntrack is not loaded. */
export function readTcpBeLiberal(): 0 | 1 {
  try {
    return readFileSync(BE_LIBERAL, "utf8").trim() === "1" ? 1 : 0;
  } catch {
    return 0; // conntrack is not loaded: nothing can be INVALID
  }
}

/**
 * Writes the node's table and sysctl for the facts' return path. Idempotent.
 * @returns a line for each change
 * @throws with the message of nft or of the kernel
 */
export function applyReturnPath(facts: Facts): readonly string[] {
  const { node, overlayCidrs, masqueradedCidrs, returnPath, uplink } = facts;
  const nodeLinks = returnPath === "snat" ? readNodeLinks(overlayCidrs, uplink) : [];
  const otherFamilies = new Set(node.otherAddresses.map(getFamily));
  const nodeAddresses = node.addresses.filter((address) => otherFamilies.has(getFamily(address)));
  const done = [...applyNodeTable({ overlayCidrs, masqueradedCidrs, returnPath, uplink, nodeLinks, nodeAddresses })];
  if (returnPath === "liberal") {
    if (readTcpBeLiberal() === 0) {
      createOwnDirectory(dirname(LIBERAL_MARK));
      writeFileAtomic(LIBERAL_MARK, "");
      writeFileSync(BE_LIBERAL, "1");
      done.push("nf_conntrack_tcp_be_liberal set to 1");
    }
  } else if (restoreTcpBeLiberal()) done.push("nf_conntrack_tcp_be_liberal set back to 0");
  return done;
}

/** Restores the sysctl if the agent had set it. Returns whether it changed. */
export function restoreTcpBeLiberal(): boolean {
  if (!existsSync(LIBERAL_MARK)) return false;
  writeFileSync(BE_LIBERAL, "0");
  rmSync(LIBERAL_MARK, { force: true });
  return true;
}
