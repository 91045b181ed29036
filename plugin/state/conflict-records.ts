import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { STATE_DIRECTORY } from "../datapath/facts.ts";

/**
 * An address that somebody else on the wire was found to have when a pod was wired. The chained plugin asks nobody but the
 * kernel, so it leaves a note; the agent reads it before it answers the next call of IPAM, marks the address, and gives
 * another one. A note outlives both, and an API server that is away. One file an address.
 */
const recordSchema = z.object({
  address: z.string(),
  /** Who has it; empty where the kernel does not say (duplicate address detection). */
  mac: z.string(),
  ifname: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
});
export type ConflictRecord = z.infer<typeof recordSchema>;

const getDirectory = (stateDirectory: string): string => join(stateDirectory, "conflicts");
const getFilePath = (address: string, stateDirectory: string): string =>
  join(getDirectory(stateDirectory), `${address.replaceAll(":", "-")}.json`);

/** Appears whole or not at all. */
export function writeConflictRecord(note: ConflictRecord, stateDirectory = STATE_DIRECTORY): void {
  mkdirSync(getDirectory(stateDirectory), { recursive: true, mode: 0o700 });
  const file = getFilePath(note.address, stateDirectory);
  writeFileSync(`${file}.new`, JSON.stringify(note), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function readConflictRecords(stateDirectory = STATE_DIRECTORY): readonly ConflictRecord[] {
  let names: readonly string[];
  try {
    names = readdirSync(getDirectory(stateDirectory));
  } catch {
    return []; // there has never been one
  }
  return names
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readRecord(join(getDirectory(stateDirectory), name)));
}

export function removeConflictRecord(address: string, stateDirectory = STATE_DIRECTORY): void {
  rmSync(getFilePath(address, stateDirectory), { force: true });
}

function readRecord(file: string): readonly ConflictRecord[] {
  try {
    return [recordSchema.parse(JSON.parse(readFileSync(file, "utf8")))];
  } catch {
    return [];
  }
}
