import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { NODE_NFT_TABLE } from "../../datapath/plan/node-table.ts";
import { readNftGeneration } from "../reconcile/nft-generation.ts";
import { hasTable, listTables } from "../reconcile/nft-table.ts";
import type { ServicesInput } from "./service-translation.ts";

const runCommand = promisify(execFile);
const MAX_BYTES = 1 << 28;

/** Programs of both backends and both families: a node may have rules in each. */
export const IPTABLES = ["iptables", "iptables-legacy", "ip6tables", "ip6tables-legacy"] as const;
export type IptablesProgram = (typeof IPTABLES)[number];

/** Output of `PROGRAM-save -c -t TABLE`; empty if the program is missing or the table is empty. */
export type SavedFilters = Readonly<Record<IptablesProgram, string>>;

export interface Filters {
  /** The table filter of each program. */
  readonly saved: SavedFilters;
  /** Chains of kube-proxy's nftables tables that may have its INVALID rule. */
  readonly kubeProxy: string;
  /** The table mangle of each program. */
  readonly mangle: SavedFilters;
  /** Listings of nftables tables that belong to neither iptables, kube-proxy nor Interlay. */
  readonly otherTables: string;
  /** The mechanism that translates Services, by family. */
  readonly translators: ServicesInput["translators"];
}

/** Counters change without a transaction: rules with counters are read again after this time, in milliseconds. */
const COUNTERS_MS = 30_000;

/** Reads the packet filters after a change, and otherwise every COUNTERS_MS for their counters. */
export class FilterReader {
  #last: { readonly generation: number; readonly readAt: number; readonly filters: Filters } | undefined;

  async read(): Promise<Filters> {
    // The legacy backend has no generation.
    const generation = IPTABLES.some((program) => isLegacy(program) && hasIptablesTable(program, "filter"))
      ? undefined
      : readNftGeneration();
    const now = performance.now();
    const last = this.#last;
    if (last !== undefined && last.generation === generation && now - last.readAt < COUNTERS_MS) return last.filters;
    const filters = await readFilters();
    // A change during the read has another generation and is read in the next pass.
    this.#last = generation === undefined ? undefined : { generation, readAt: now, filters };
    return filters;
  }
}

/** Reads all packet filters at once. Starts no process for tables that the kernel does not have. */
export async function readFilters(): Promise<Filters> {
  const families = (["ip", "ip6"] as const).filter((family) => hasTable(family, "kube-proxy"));
  const [saved, mangle, kubeProxy, otherTables, translators] = await Promise.all([
    saveTable("filter"),
    saveTable("mangle"),
    Promise.all(
      families.flatMap((family) =>
        ["forward", "filter-forward"].map((chain) => readOutput("nft", ["list", "chain", family, "kube-proxy", chain])),
      ),
    ),
    Promise.all(
      listTables()
        .filter(isOtherTable)
        .map(({ family, name }) => readOutput("nft", ["list", "table", family, name])),
    ),
    readTranslators(),
  ]);
  return { saved, mangle, kubeProxy: kubeProxy.join("\n"), otherTables: otherTables.join("\n"), translators };
}

/** nftables tables of iptables-nft: `iptables-save` prints them. */
const IPTABLES_TABLES = ["filter", "nat", "mangle", "raw", "security"];

function isOtherTable({ family, name }: { readonly family: string; readonly name: string }): boolean {
  if (family === "inet") return `${family} ${name}` !== NODE_NFT_TABLE;
  return (family === "ip" || family === "ip6") && name !== "kube-proxy" && !IPTABLES_TABLES.includes(name);
}

async function saveTable(table: "filter" | "mangle"): Promise<SavedFilters> {
  const outputs = IPTABLES.map(
    async (program) =>
      [
        program,
        hasIptablesTable(program, table) ? await readOutput(`${program}-save`, ["-c", "-t", table]) : "",
      ] as const,
  );
  return Object.fromEntries(await Promise.all(outputs)) as SavedFilters;
}

/** Reads the mechanism that translates Services in each family; IPVS first, because kube-proxy also has a chain KUBE-SERVICES then. */
async function readTranslators(): Promise<ServicesInput["translators"]> {
  const ipvs = readLines("/proc/self/net/ip_vs").filter((line) => /^(?:TCP|UDP|SCTP) /.test(line));
  const translators = (["ipv4", "ipv6"] as const).map(async (family) => {
    const [nft, isIpv6] = family === "ipv4" ? (["ip", false] as const) : (["ip6", true] as const);
    if (ipvs.some((line) => line.includes("[") === isIpv6)) return [family, "ipvs"] as const;
    if (hasTable(nft, "kube-proxy")) return [family, "nftables"] as const;
    const programs = IPTABLES.filter((program) => program.startsWith("ip6") === isIpv6);
    const rules = programs
      .filter((program) => (isLegacy(program) ? hasIptablesTable(program, "nat") : hasTable(nft, "nat")))
      .map((program) => readOutput(program, ["-w", "5", "-t", "nat", "-S", "PREROUTING"]));
    const jumps = (await Promise.all(rules)).some((text) => /-j KUBE-SERVICES$/m.test(text));
    return jumps ? ([family, "iptables"] as const) : undefined;
  });
  return Object.fromEntries((await Promise.all(translators)).flatMap((entry) => (entry === undefined ? [] : [entry])));
}

const isLegacy = (program: IptablesProgram): boolean => program.endsWith("-legacy");

/** The kernel lists the existing tables of the legacy backend only; `iptables` may be either backend. */
function hasIptablesTable(program: IptablesProgram, table: string): boolean {
  if (!isLegacy(program)) return true;
  const names = program.startsWith("ip6") ? "ip6_tables_names" : "ip_tables_names";
  return readLines(`/proc/self/net/${names}`).includes(table);
}

/** Reads the lines of a file of /proc; none if the kernel does not have the file. */
function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

async function readOutput(program: string, argv: readonly string[]): Promise<string> {
  try {
    return (await runCommand(program, [...argv], { maxBuffer: MAX_BYTES })).stdout;
  } catch {
    return ""; // no such program, chain or table
  }
}
