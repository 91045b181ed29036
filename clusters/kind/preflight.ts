import { readFile, statfs } from "node:fs/promises";
import { freemem, networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { cacheRoot } from "../components/cache.ts";
import { goProblem } from "../components/go-build.ts";
import type { ClusterSpec, Finding } from "../provider.ts";
import { run } from "../components/command.ts";

const GIB = 2 ** 30;
const DISK_GIB = 12;
const MEMORY_GIB = 4;

/** What would stop a kind cluster on this machine, each with its remedy. Changes nothing. */
export async function kindPreflight(spec: ClusterSpec): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const error = (message: string) => findings.push({ severity: "error", message });
  if (process.getuid?.() !== 0)
    error("Interlay builds images and network namespaces: run as root (or in a container that is).");
  const go = await goProblem();
  if (go !== undefined) findings.push({ severity: "warning", message: go });
  const disk = await statfs(await existingParent(cacheRoot()));
  const free = (disk.bavail * disk.bsize) / GIB;
  if (free < DISK_GIB)
    error(
      `The cache ${cacheRoot()} has ${free.toFixed(1)} GiB free and wants ${DISK_GIB}: free some, or set INTERLAY_CACHE to a larger disk.`,
    );
  if (freemem() / GIB < MEMORY_GIB)
    findings.push({
      severity: "warning",
      message: `Only ${(freemem() / GIB).toFixed(1)} GiB of memory are free; the cluster wants ${MEMORY_GIB}.`,
    });
  const taken = addressRangeTakenBy(spec.underlayCidr, await ownLinks(spec.name));
  if (taken !== undefined)
    error(
      `The underlay ${spec.underlayCidr} overlaps ${taken.address} of this machine's ${taken.link}: choose another range by INTERLAY_UNDERLAY.`,
    );
  if (!(await readFile("/proc/filesystems", "utf8")).includes("overlay"))
    findings.push({
      severity: "warning",
      message: "The kernel names no overlay filesystem yet: load it by modprobe overlay.",
    });
  return findings;
}

export interface LinkAddress {
  readonly link: string;
  /** CIDR notation, as on the link. */
  readonly address: string;
}

/** The first address of another link that lies in `cidr`, or whose network `cidr` lies in. */
export function addressRangeTakenBy(cidr: string, links: readonly LinkAddress[]): LinkAddress | undefined {
  const [network, length] = ipaddr.IPv4.parseCIDR(cidr);
  return links.find(({ address }) => {
    const [theirs, theirLength] = ipaddr.IPv4.parseCIDR(address);
    const shorter = Math.min(length, theirLength);
    return network.match(theirs, shorter);
  });
}

/** IPv4 addresses of this machine, but for the bridge of the cluster's own Docker network. */
async function ownLinks(cluster: string): Promise<readonly LinkAddress[]> {
  const bridge = (
    await run(["docker", "network", "inspect", `${cluster}-underlay`, "--format", "br-{{slice .Id 0 12}}"])
  ).stdout.trim();
  return Object.entries(networkInterfaces()).flatMap(([link, addresses]) =>
    link === bridge || link.startsWith("br-")
      ? []
      : (addresses ?? []).flatMap(({ family, cidr }) =>
          family === "IPv4" && cidr !== null ? [{ link, address: cidr }] : [],
        ),
  );
}

async function existingParent(path: string): Promise<string> {
  for (let candidate = path; candidate !== "/"; candidate = candidate.replace(/\/[^/]+\/?$/, "") || "/")
    if (
      await statfs(candidate).then(
        () => true,
        () => false,
      )
    )
      return candidate;
  return "/";
}
