import { readFileSync } from "node:fs";
import { type Facts, parseFacts } from "../datapath/facts.ts";
import { CniError, CODE } from "./error.ts";
import { getErrorMessage } from "../errors/error-message.ts";

/** The facts of the last file, parsed once: the agent reads the same text for each call. */
let cached: { readonly text: string; readonly facts: Facts } | undefined;

/**
 * Reads the node's facts file.
 *
 * @throws CniError 100 if the file does not exist or is not valid
 */
export function loadFacts(file: string): Facts {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new CniError(
      CODE.noFacts,
      `${file} is missing: the Interlay agent of this node has not discovered the cluster yet`,
      "See `kubectl -n interlay-system get pods -o wide` and the node's NodeState.",
    );
  }
  try {
    if (cached?.text !== text) cached = { text, facts: parseFacts(text) };
    return cached.facts;
  } catch (error) {
    throw new CniError(
      CODE.noFacts,
      `${file} cannot be read: ${getErrorMessage(error)}`,
      "The agent rewrites it when it starts.",
    );
  }
}
