import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { STATE_DIRECTORY } from "../datapath/facts.ts";

/**
 * What a pod's annotations ask of the chained plugin. It asks nobody but the kernel, so the IPAM plugin, which runs before
 * it for the same NIC and asks the agent anyway, leaves them here; for most pods there is no file.
 */
const wishesSchema = z.object({ defaultRouteNic: z.exactOptional(z.string()) });
export type Wishes = z.infer<typeof wishesSchema>;

function fileOf(containerId: string, ifname: string, stateDirectory: string): string {
  return join(stateDirectory, "wishes", `${containerId}-${ifname}.json`);
}

/** Appears whole or not at all. */
export function writeWishes(
  containerId: string,
  ifname: string,
  wishes: Wishes,
  stateDirectory = STATE_DIRECTORY,
): void {
  mkdirSync(join(stateDirectory, "wishes"), { recursive: true, mode: 0o700 });
  const file = fileOf(containerId, ifname, stateDirectory);
  writeFileSync(`${file}.new`, JSON.stringify(wishes), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function readWishes(containerId: string, ifname: string, stateDirectory = STATE_DIRECTORY): Wishes {
  try {
    return wishesSchema.parse(JSON.parse(readFileSync(fileOf(containerId, ifname, stateDirectory), "utf8")));
  } catch {
    return {}; // none: the pod asks for nothing
  }
}

export function removeWishes(containerId: string, ifname: string, stateDirectory = STATE_DIRECTORY): void {
  rmSync(fileOf(containerId, ifname, stateDirectory), { force: true });
}
