import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { STATE_DIRECTORY } from "../datapath/facts.ts";

/**
 * An address that somebody else on the wire was found to have when a pod was wired. The chained plugin asks nobody but the
 * kernel, so it leaves a note; the agent reads it before it answers the next call of IPAM, marks the address, and gives
 * another one. A note outlives both, and an API server that is away. One file an address.
 */
const noteSchema = z.object({
  address: z.string(),
  /** Who has it; empty where the kernel does not say (duplicate address detection). */
  mac: z.string(),
  ifname: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
});
export type ConflictNote = z.infer<typeof noteSchema>;

const directoryOf = (stateDirectory: string): string => join(stateDirectory, "conflicts");
const fileOf = (address: string, stateDirectory: string): string =>
  join(directoryOf(stateDirectory), `${address.replaceAll(":", "-")}.json`);

/** Appears whole or not at all. */
export function writeConflictNote(note: ConflictNote, stateDirectory = STATE_DIRECTORY): void {
  mkdirSync(directoryOf(stateDirectory), { recursive: true, mode: 0o700 });
  const file = fileOf(note.address, stateDirectory);
  writeFileSync(`${file}.new`, JSON.stringify(note), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function readConflictNotes(stateDirectory = STATE_DIRECTORY): readonly ConflictNote[] {
  let names: readonly string[];
  try {
    names = readdirSync(directoryOf(stateDirectory));
  } catch {
    return []; // there has never been one
  }
  return names
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => read(join(directoryOf(stateDirectory), name)));
}

export function removeConflictNote(address: string, stateDirectory = STATE_DIRECTORY): void {
  rmSync(fileOf(address, stateDirectory), { force: true });
}

function read(file: string): readonly ConflictNote[] {
  try {
    return [noteSchema.parse(JSON.parse(readFileSync(file, "utf8")))];
  } catch {
    return [];
  }
}
