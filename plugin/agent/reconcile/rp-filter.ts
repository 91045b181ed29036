import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getFamily } from "../../datapath/address.ts";
import type { Facts } from "../../datapath/facts.ts";
import { buildSysctlPath } from "../../datapath/sysctl-path.ts";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "../../state/own-files.ts";
import { readOverlayRoutes } from "./overlay-routes.ts";

const CONF = buildSysctlPath("ipv4/conf");
/** Previous value of each link, in one file per link; a reboot resets both file and sysctl. */
const BEFORE = "/run/interlay/rp-filter";
const STRICT = 1;
const LOOSE = 2;

/**
 * Sets strict reverse path filtering (RFC 3704, section 2.2; the default of some distributions) of tunnels to loose. An underlay pod's
 * request to an overlay pod arrives at the target's node by the tunnel, and its reply leaves by the uplink: the strict filter drops the
 * request. Idempotent.
 *
 * @returns a line for each change
 */
export function relaxRpFilter(facts: Facts): readonly string[] {
  if (facts.returnPath === "none") return [];
  const allLinksValue = readSysctl("all");
  return listTunnels(facts).flatMap((link) => {
    const linkValue = readSysctl(link);
    // the kernel uses the greater of both
    if (linkValue === undefined || Math.max(linkValue, allLinksValue ?? 0) !== STRICT) return [];
    createOwnDirectory(BEFORE);
    writeFileAtomic(join(BEFORE, link), String(linkValue));
    writeFileSync(join(CONF, link, "rp_filter"), String(LOOSE));
    return [`rp_filter of ${link} set to ${LOOSE} (loose)`];
  });
}

/** Restores the values that the agent had changed. Returns a line for each change. */
export function restoreRpFilter(): readonly string[] {
  let links: readonly string[];
  try {
    links = readdirSync(BEFORE);
  } catch {
    return [];
  }
  const done = links.flatMap((link) => {
    if (readSysctl(link) === undefined) return []; // the link was deleted with its sysctl
    const before = readOwnFile(join(BEFORE, link));
    writeFileSync(join(CONF, link, "rp_filter"), before);
    return [`rp_filter of ${link} set back to ${before}`];
  });
  rmSync(BEFORE, { recursive: true, force: true });
  return done;
}

/** Lists links by which this node reaches overlay pods of other nodes: no pods' pairs, not the uplink. IPv4 only, as the sysctl. */
function listTunnels({ overlayCidrs, uplink }: Facts): readonly string[] {
  return readOverlayRoutes(overlayCidrs.filter((cidr) => getFamily(cidr) === "ipv4"))
    .filter(({ link, kind }) => link !== uplink && kind !== "veth")
    .map(({ link }) => link);
}

function readSysctl(link: string): number | undefined {
  try {
    return Number(readFileSync(join(CONF, link, "rp_filter"), "utf8"));
  } catch {
    return undefined;
  }
}
