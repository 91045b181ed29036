import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Facts, FACTS_FILE, parseFacts } from "../datapath/facts.ts";

/** Reads the last valid facts, used while the API server is unreachable. Undefined if the file is missing or has another schema. */
export function readLastFacts(file = FACTS_FILE): Facts | undefined {
  try {
    return parseFacts(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Writes the facts atomically, readable by root only. Returns false if the file has the same content already. */
export function writeFacts(facts: Facts, file = FACTS_FILE): boolean {
  const text = JSON.stringify(facts, null, 2);
  if (readIfPresent(file) === text) return false;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
  return true;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
