import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSCTL_DIRECTORY } from "../../datapath/sysctl-path.ts";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "../../state/own-files.ts";

/**
 * Limits of the neighbour table, which all network namespaces of a node share; the kernel's defaults are 128, 512 and 1024.
 * A node with 110 pods that each have ten peers needs more. Spiderpool sets the same gc_thresh3.
 */
const LIMITS = { gc_thresh1: 3520, gc_thresh2: 14_080, gc_thresh3: 28_160 } as const;
const FAMILIES = ["ipv4", "ipv6"] as const;

/** Directories of the sysctls and of their previous values (one file each); a reboot resets both. */
interface NeighbourPaths {
  readonly sysctls: string;
  readonly before: string;
}

const DEFAULT_PATHS: NeighbourPaths = { sysctls: SYSCTL_DIRECTORY, before: "/run/interlay/neighbour-limits" };

/**
 * Raises the limits of the neighbour table that are lower. Only the host's initial network namespace has them: in a
 * container that is a node, nothing is changed. Idempotent.
 * @returns a line for each change
 */
export function raiseNeighbourLimits({ sysctls, before }: NeighbourPaths = DEFAULT_PATHS): readonly string[] {
  return listLimits(sysctls).flatMap(({ name, path, minimum }) => {
    const value = Number(readFileSync(path, "utf8"));
    if (value >= minimum) return [];
    createOwnDirectory(before);
    if (!existsSync(join(before, name))) writeFileAtomic(join(before, name), String(value));
    writeFileSync(path, String(minimum));
    return [`net.${name} raised from ${value} to ${minimum}`];
  });
}

/**
 * Restores the limits that the agent raised, unless they were changed since.
 * @returns a line for each change
 */
export function restoreNeighbourLimits({ sysctls, before }: NeighbourPaths = DEFAULT_PATHS): readonly string[] {
  if (!existsSync(before)) return [];
  const names = new Set(readdirSync(before));
  const done = listLimits(sysctls).flatMap(({ name, path, minimum }) => {
    if (!names.has(name) || Number(readFileSync(path, "utf8")) !== minimum) return [];
    const value = readOwnFile(join(before, name));
    writeFileSync(path, value);
    return [`net.${name} set back to ${value}`];
  });
  rmSync(before, { recursive: true, force: true });
  return done;
}

function listLimits(
  sysctls: string,
): readonly { readonly name: string; readonly path: string; readonly minimum: number }[] {
  return FAMILIES.flatMap((family) =>
    Object.entries(LIMITS).flatMap(([limit, minimum]) => {
      const path = join(sysctls, family, "neigh", "default", limit);
      return existsSync(path) ? [{ name: `${family}.neigh.default.${limit}`, path, minimum }] : [];
    }),
  );
}
