import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { STATE_DIRECTORY } from "../datapath/facts.ts";

/**
 * What a pod's annotations ask of the chained plugin. It asks nobody but the kernel, so the IPAM plugin, which runs before
 * it for the same NIC and asks the agent anyway, leaves them here; for most pods there is no file.
 */
const podOptionsSchema = z.object({ defaultRouteNic: z.exactOptional(z.string()) });
export type PodOptions = z.infer<typeof podOptionsSchema>;

function getFilePath(containerId: string, ifname: string, stateDirectory: string): string {
  return join(stateDirectory, "wishes", `${containerId}-${ifname}.json`);
}

/** Appears whole or not at all. */
export function writePodOptions(
  containerId: string,
  ifname: string,
  wishes: PodOptions,
  stateDirectory = STATE_DIRECTORY,
): void {
  mkdirSync(join(stateDirectory, "wishes"), { recursive: true, mode: 0o700 });
  const file = getFilePath(containerId, ifname, stateDirectory);
  writeFileSync(`${file}.new`, JSON.stringify(wishes), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function readPodOptions(containerId: string, ifname: string, stateDirectory = STATE_DIRECTORY): PodOptions {
  try {
    return podOptionsSchema.parse(JSON.parse(readFileSync(getFilePath(containerId, ifname, stateDirectory), "utf8")));
  } catch {
    return {}; // none: the pod asks for nothing
  }
}

export function removePodOptions(containerId: string, ifname: string, stateDirectory = STATE_DIRECTORY): void {
  rmSync(getFilePath(containerId, ifname, stateDirectory), { force: true });
}
