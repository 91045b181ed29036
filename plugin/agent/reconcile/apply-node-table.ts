import { execFileSync } from "node:child_process";
import { isNodeTable, NODE_NFT_TABLE, normalizeListing, readRuleCounters } from "../../datapath/plan/node-table.ts";
import { type NodeTableInput, removeNodeTable, renderNodeTable } from "../../datapath/plan/node-table.ts";
import { readNftGeneration } from "./nft-generation.ts";

/** Greatest age of a cached listing in milliseconds: counters change without a transaction. */
const COUNTERS_MS = 30_000;

interface Listing {
  readonly generation: number | undefined;
  readonly readAt: number;
  readonly text: string | undefined;
}

/** The last listing, with the generation of the ruleset before it was read. */
let lastListing: Listing | undefined;

/**
 * The rules that were written last, and the listing of this node's nft after that write. A version of nft may print a rule in
 * another form than it was written; comparing with its own listing keeps the agent from writing the table in every pass.
 */
let lastWritten: { readonly rules: string; readonly print: string } | undefined;

/**
 * Writes the node's table if it is missing or changed.
 * @returns a line for each change
 * @throws with nft's message
 */
export function applyNodeTable(input: NodeTableInput): readonly string[] {
  const rules = renderNodeTable(input);
  const listing = listNodeTable();
  if (listing !== undefined) {
    if (isNodeTable(listing, input)) return [];
    if (lastWritten?.rules === rules && lastWritten.print === normalizeListing(listing)) return [];
  }
  runNft(rules);
  const print = readListing();
  lastWritten = { rules, print: normalizeListing(print ?? "") };
  lastListing = undefined;
  return [`nftables table ${NODE_NFT_TABLE} written`];
}

/** Removes the node's table. Returns false if it did not exist, also on a node without nftables. */
export function deleteNodeTable(): boolean {
  if (readListing() === undefined) return false;
  runNft(removeNodeTable());
  lastListing = undefined;
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
    lastListing === undefined ||
    generation === undefined ||
    lastListing.generation !== generation ||
    now - lastListing.readAt > COUNTERS_MS
  )
    lastListing = { generation, readAt: now, text: readListing() };
  return lastListing.text;
}

/** Lists the node's table without the cache; undefined if it does not exist. */
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
