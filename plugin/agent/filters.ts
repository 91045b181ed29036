import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { nftGeneration } from "./nft-generation.ts";
import { hasTable } from "./nft-table.ts";

const run = promisify(execFile);
const MAX_BYTES = 1 << 28;

/** Both backends of both families: a node may have rules in each. */
export const IPTABLES = ["iptables", "iptables-legacy", "ip6tables", "ip6tables-legacy"] as const;
export type IptablesProgram = (typeof IPTABLES)[number];

/** What `PROGRAM-save -c -t filter` says; empty where there is no such program, or nothing in it. */
export type SavedFilters = Readonly<Record<IptablesProgram, string>>;

export interface Filters {
  readonly saved: SavedFilters;
  /** Chains of kube-proxy's nftables tables that may have its INVALID rule. */
  readonly kubeProxy: string;
}

/** Counters change without a transaction: what has some is read again after so long, in milliseconds. */
const COUNTERS_MS = 30_000;

/** Reads only what can have changed: an idle node's packet filter is read for its counters alone. */
export class FilterReader {
  #last: { readonly generation: number; readonly at: number; readonly filters: Filters } | undefined;

  async read(): Promise<Filters> {
    // The legacy backend has no such number.
    const generation = IPTABLES.some((program) => isLegacy(program) && hasFilter(program))
      ? undefined
      : nftGeneration();
    const now = performance.now();
    const last = this.#last;
    if (last !== undefined && last.generation === generation && now - last.at < COUNTERS_MS) return last.filters;
    const filters = await readFilters();
    // What changed while it was read has another number, and is read the next time.
    this.#last = generation === undefined ? undefined : { generation, at: now, filters };
    return filters;
  }
}

/** The packet filter as everybody has made it, asked all at once; what is not there is not asked for, for each asks by a process. */
export async function readFilters(): Promise<Filters> {
  const families = (["ip", "ip6"] as const).filter((family) => hasTable(family, "kube-proxy"));
  const [saved, listed] = await Promise.all([
    Promise.all(
      IPTABLES.map(
        async (program) =>
          [program, hasFilter(program) ? await said(`${program}-save`, ["-c", "-t", "filter"]) : ""] as const,
      ),
    ),
    Promise.all(
      families.flatMap((family) =>
        ["forward", "filter-forward"].map((chain) => said("nft", ["list", "chain", family, "kube-proxy", chain])),
      ),
    ),
  ]);
  return { saved: Object.fromEntries(saved) as SavedFilters, kubeProxy: listed.join("\n") };
}

const isLegacy = (program: IptablesProgram): boolean => program.endsWith("-legacy");

/** Of the legacy backend the kernel lists the tables that there are; the other one may be either backend. */
function hasFilter(program: IptablesProgram): boolean {
  if (!isLegacy(program)) return true;
  const names = program.startsWith("ip6") ? "ip6_tables_names" : "ip_tables_names";
  try {
    return readFileSync(`/proc/self/net/${names}`, "utf8").split("\n").includes("filter");
  } catch {
    return false; // the kernel has none of it
  }
}

async function said(program: string, argv: readonly string[]): Promise<string> {
  try {
    return (await run(program, [...argv], { maxBuffer: MAX_BYTES })).stdout;
  } catch {
    return ""; // no such program, or no such chain
  }
}
