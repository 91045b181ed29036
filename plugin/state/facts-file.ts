import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Facts, FACTS_FILE, parseFacts } from "../datapath/facts.ts";
import { writeFileAtomic } from "./write-file-atomic.ts";

/** Reads the last valid facts, used while the API server is unreachable. Undefined if the file is missing or has another schema. */
export function readLastFacts(file = FACTS_FILE): Facts | undefined {
  try {
    return parseFacts(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Writes the facts atomically, readable by root only. Returns false if the file has the same content already. */
export function writeFacts(facts: Facts, file: string): boolean {
  const text = JSON.stringify(facts, null, 2);
  if (readIfPresent(file) === text) return false;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, text);
  return true;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
