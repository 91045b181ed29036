import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Facts, FACTS_FILE, parseFacts } from "../../datapath/facts.ts";

/** The last good facts: what the node goes by while the API server is away. Undefined if there are none, or of another schema. */
export function readLastFacts(file = FACTS_FILE): Facts | undefined {
  try {
    return parseFacts(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Whole or not at all; for root alone. False: the file has these already. */
export function writeFacts(facts: Facts, file = FACTS_FILE): boolean {
  const text = JSON.stringify(facts, null, 2);
  if (contentOf(file) === text) return false;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
  return true;
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
