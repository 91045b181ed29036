import { execFileSync } from "node:child_process";
import { isNodeTable, NODE_NFT_TABLE, normalizeListing, readRuleCounters } from "../../datapath/plan/node-table.ts";
import { type NodeTableInput, removeNodeTable, renderNodeTable } from "../../datapath/plan/node-table.ts";
import { readNftGeneration } from "./nft-generation.ts";

/** Counters change without a transaction, so a listing is read again after this long, in milliseconds. */
const COUNTERS_MS = 30_000;

interface Listing {
  readonly generation: number | undefined;
  readonly appliedAt: number;
  readonly text: string | undefined;
}

/** The last listing, with the generation of the ruleset before it was read. */
let lastApplied: Listing | undefined;

/**
 * How this node's nft prints what was written last, with the text that was written. Another version of nft may print a rule
 * in another form; comparing with its own print keeps the agent from writing the table again in every pass.
 */
let written: { readonly rules: string; readonly print: string } | undefined;

/**
 * Writes the node's table where it is missing or changed.
 * @returns a line for each change
 * @throws with nft's message
 */
export function applyNodeTable(input: NodeTableInput): readonly string[] {
  const rules = renderNodeTable(input);
  const listing = listNodeTable();
  if (listing !== undefined) {
    if (isNodeTable(listing, input)) return [];
    if (written?.rules === rules && written.print === normalizeListing(listing)) return [];
  }
  runNft(rules);
  const print = readListing();
  written = { rules, print: normalizeListing(print ?? "") };
  lastApplied = undefined;
  return [`nftables table ${NODE_NFT_TABLE} written`];
}

/** Removes the node's table. Returns false if it did not exist, also on a node without nftables. */
export function deleteNodeTable(): boolean {
  if (readListing() === undefined) return false;
  runNft(removeNodeTable());
  lastApplied = undefined;
  return true;
}

/** Reads the packets per rule of the node's table, at most `COUNTERS_MS` old; empty if the table does not exist. */
export function readNodeTableCounters(): ReadonlyMap<string, number> {
  return readRuleCounters(listNodeTable() ?? "");
}

/** Returns the output of `nft list table`, undefined if the table does not exist. Starts no process if nothing has changed. */
function listNodeTable(): string | undefined {
  const generation = readNftGeneration();
  const now = performance.now();
  if (
    lastApplied === undefined ||
    generation === undefined ||
    lastApplied.generation !== generation ||
    now - lastApplied.appliedAt > COUNTERS_MS
  )
    lastApplied = { generation, appliedAt: now, text: readListing() };
  return lastApplied.text;
}

/** Lists the node's table, without the cache. */
export function readListing(): string | undefined {
  try {
    return execFileSync("nft", ["list", "table", ...NODE_NFT_TABLE.split(" ")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}

function runNft(rules: string): void {
  execFileSync("nft", ["-f", "-"], { input: rules, stdio: ["pipe", "ignore", "pipe"] });
}
