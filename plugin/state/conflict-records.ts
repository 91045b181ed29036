import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "./own-files.ts";

/**
 * An address that another host on the underlay network already uses, found when a pod was attached. The chained plugin does
 * not use the API server, so it writes a record; before the next IPAM call the agent reads it, marks the address and
 * allocates another one. The record survives restarts and an unreachable API server. One file per address.
 */
const recordSchema = z.object({
  address: z.string(),
  /** MAC of the other host; empty if unknown (duplicate address detection). */
  mac: z.string(),
  ifname: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
});
export type ConflictRecord = z.infer<typeof recordSchema>;

const getDirectory = (stateDirectory: string): string => join(stateDirectory, "conflicts");
const getFilePath = (address: string, stateDirectory: string): string =>
  join(getDirectory(stateDirectory), `${address.replaceAll(":", "-")}.json`);

/** Writes a record atomically. */
export function writeConflictRecord(record: ConflictRecord, stateDirectory: string): void {
  createOwnDirectory(getDirectory(stateDirectory));
  writeFileAtomic(getFilePath(record.address, stateDirectory), JSON.stringify(record));
}

/** Reads the valid records; none if no conflict was ever recorded. */
export function readConflictRecords(stateDirectory: string): readonly ConflictRecord[] {
  let names: readonly string[];
  try {
    names = readdirSync(getDirectory(stateDirectory));
  } catch {
    return []; // no record was ever written
  }
  return names
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readRecord(join(getDirectory(stateDirectory), name)));
}

/** Removes the record of an address. Succeeds if it does not exist. */
export function removeConflictRecord(address: string, stateDirectory: string): void {
  rmSync(getFilePath(address, stateDirectory), { force: true });
}

function readRecord(file: string): readonly ConflictRecord[] {
  try {
    return [recordSchema.parse(JSON.parse(readOwnFile(file)))];
  } catch {
    return [];
  }
}
