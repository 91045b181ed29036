import { rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { POD_OPTIONS_DIRECTORY } from "./rename-directories.ts";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "./own-files.ts";

/**
 * Options from pod annotations for the chained plugin. The chained plugin does not use the API server, so the IPAM plugin,
 * which runs first for the same NIC and asks the agent, stores them in a file. Most pods do not have one.
 */
const podOptionsSchema = z.object({ defaultRouteNic: z.exactOptional(z.string()) });
type PodOptions = z.infer<typeof podOptionsSchema>;

function getFilePath(containerId: string, ifname: string, stateDirectory: string): string {
  return join(stateDirectory, POD_OPTIONS_DIRECTORY, `${containerId}-${ifname}.json`);
}

/** Writes the options atomically. */
export function writePodOptions(
  containerId: string,
  ifname: string,
  options: PodOptions,
  stateDirectory: string,
): void {
  createOwnDirectory(join(stateDirectory, POD_OPTIONS_DIRECTORY));
  writeFileAtomic(getFilePath(containerId, ifname, stateDirectory), JSON.stringify(options));
}

/** Reads the options of a NIC; empty if its pod has none. */
export function readPodOptions(containerId: string, ifname: string, stateDirectory: string): PodOptions {
  try {
    return podOptionsSchema.parse(JSON.parse(readOwnFile(getFilePath(containerId, ifname, stateDirectory))));
  } catch {
    return {}; // the pod has no options
  }
}

/** Removes the options of a NIC. Succeeds if it has none. */
export function removePodOptions(containerId: string, ifname: string, stateDirectory: string): void {
  rmSync(getFilePath(containerId, ifname, stateDirectory), { force: true });
}
