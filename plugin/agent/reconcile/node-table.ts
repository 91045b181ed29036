import { execFileSync } from "node:child_process";
import { isNodeTable, NODE_NFT_TABLE, normalizeListing, readRuleCounters } from "../../datapath/plan/node-table.ts";
import { type NodeTableInput, removeNodeTable, renderNodeTable } from "../../datapath/plan/node-table.ts";
import { nftGeneration } from "./nft-generation.ts";

/** Counters change without a transaction, so a listing is read again after this long, in milliseconds. */
const COUNTERS_MS = 30_000;

interface Listing {
  readonly generation: number | undefined;
  readonly at: number;
  readonly text: string | undefined;
}

/** The last listing, with the generation of the ruleset before it was read. */
let last: Listing | undefined;

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
  last = undefined;
  return [`nftables table ${NODE_NFT_TABLE} written`];
}

/** Removes the node's table. Returns false where there was none, also on a node without nftables. */
export function deleteNodeTable(): boolean {
  if (readListing() === undefined) return false;
  runNft(removeNodeTable());
  last = undefined;
  return true;
}

/** Packets by rule of the node's table, at most `COUNTERS_MS` old; empty where there is no table. */
export function readNodeTableCounters(): ReadonlyMap<string, number> {
  return readRuleCounters(listNodeTable() ?? "");
}

/** What `nft list table` prints now; undefined where there is no table. Reads no process while nothing has changed. */
function listNodeTable(): string | undefined {
  const generation = nftGeneration();
  const now = performance.now();
  if (last === undefined || generation === undefined || last.generation !== generation || now - last.at > COUNTERS_MS)
    last = { generation, at: now, text: readListing() };
  return last.text;
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
