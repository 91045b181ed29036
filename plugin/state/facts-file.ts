import { dirname } from "node:path";
import { type Facts, FACTS_FILE, parseFacts } from "../datapath/facts.ts";
import { createOwnDirectory, readOwnFile, writeFileAtomic } from "./own-files.ts";

/** Reads the last valid facts, used while the API server is unreachable. Undefined if the file is missing or has another schema. */
export function readLastFacts(file = FACTS_FILE): Facts | undefined {
  try {
    return parseFacts(readOwnFile(file));
  } catch {
    return undefined;
  }
}

/** Writes the facts atomically, readable by root only. Returns false if the file has the same content already. */
export function writeFacts(facts: Facts, file: string): boolean {
  const text = JSON.stringify(facts, null, 2);
  if (readIfPresent(file) === text) return false;
  createOwnDirectory(dirname(file));
  writeFileAtomic(file, text);
  return true;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readOwnFile(file);
  } catch {
    return undefined;
  }
}
