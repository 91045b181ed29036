import { readFileSync } from "node:fs";
import { type Facts, FACTS_FILE, parseFacts } from "../datapath/facts.ts";
import { CniError, CODE } from "./error.ts";

/** Parsed last: the agent reads the same for each call. */
let last: { readonly text: string; readonly facts: Facts } | undefined;

/** Throws CniError when the agent has not written them, or they are of a schema this plugin does not know. */
export function loadFacts(file: string = FACTS_FILE): Facts {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new CniError(
      CODE.noFacts,
      `${file} is missing: this node's Interlay agent has not found the cluster's facts yet`,
      "See `kubectl -n interlay-system get pods -o wide` and the node's NodeState.",
    );
  }
  try {
    if (last?.text !== text) last = { text, facts: parseFacts(text) };
    return last.facts;
  } catch (error) {
    throw new CniError(
      CODE.noFacts,
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "The agent writes it anew when it starts.",
    );
  }
}
