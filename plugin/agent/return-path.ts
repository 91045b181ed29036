import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Facts } from "../datapath/facts.ts";
import { nftGeneration } from "./nft-generation.ts";
import { NODE_NFT_TABLE, notrackIsWhole, notrackRules, removeNotrackRules } from "../datapath/return-path.ts";

const BE_LIBERAL = "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal";
/** That it was us who set the sysctl: only then do we set it back. Gone with a reboot, as the sysctl is. */
const LIBERAL_MARK = "/run/interlay/be-liberal-was-0";

export function readTcpBeLiberal(): 0 | 1 {
  try {
    return readFileSync(BE_LIBERAL, "utf8").trim() === "1" ? 1 : 0;
  } catch {
    return 0; // conntrack is not loaded: nothing can be INVALID
  }
}

/** Makes the node as `facts.returnPath` says, and returns what it had to do. Idempotent; throws with the kernel's words. */
export function applyReturnPath(facts: Facts): readonly string[] {
  const done: string[] = [];
  if (facts.returnPath === "notrack") {
    if (!notrackIsThere(facts)) {
      nft(notrackRules(facts.overlayCidrs));
      done.push(`nftables table ${NODE_NFT_TABLE} written`);
    }
  } else if (tableListing() !== undefined) {
    nft(removeNotrackRules());
    done.push(`nftables table ${NODE_NFT_TABLE} removed`);
  }

  if (facts.returnPath === "liberal") {
    if (readTcpBeLiberal() === 0) {
      mkdirSync(dirname(LIBERAL_MARK), { recursive: true, mode: 0o700 });
      writeFileSync(LIBERAL_MARK, "", { mode: 0o600 });
      writeFileSync(BE_LIBERAL, "1");
      done.push("nf_conntrack_tcp_be_liberal set to 1");
    }
  } else if (resetTcpBeLiberal()) done.push("nf_conntrack_tcp_be_liberal set back to 0");
  return done;
}

/** The sysctl as it was, where it was us who set it. True: it had to be set back. */
export function resetTcpBeLiberal(): boolean {
  if (!existsSync(LIBERAL_MARK)) return false;
  writeFileSync(BE_LIBERAL, "0");
  rmSync(LIBERAL_MARK, { force: true });
  return true;
}

function notrackIsThere({ overlayCidrs }: Facts): boolean {
  const listing = tableListing();
  return listing !== undefined && notrackIsWhole(listing, overlayCidrs);
}

/** What was listed last, and the ruleset's number before that. */
let listed: { readonly generation: number | undefined; readonly text: string | undefined } | undefined;

function tableListing(): string | undefined {
  const generation = nftGeneration();
  if (listed === undefined || generation === undefined || listed.generation !== generation)
    listed = { generation, text: listTable() };
  return listed.text;
}

function listTable(): string | undefined {
  try {
    return execFileSync("nft", ["list", "table", ...NODE_NFT_TABLE.split(" ")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}

function nft(rules: string): void {
  execFileSync("nft", ["-f", "-"], { input: rules, stdio: ["pipe", "ignore", "pipe"] });
}
