import type { NamespaceSnapshot } from "../snapshot.ts";
import { addDevices, lacksDevices } from "./chain-devices.ts";
import { type CommandRunner, readOutput } from "./command-runner.ts";
import { nftOutput } from "./ip-output.ts";

type Nftables = NonNullable<NamespaceSnapshot["nftables"]>;

/** Rules of nftables and iptables-nft, in the form of the snapshot. */
export type NetfilterState = Pick<NamespaceSnapshot, "nftables" | "iptables" | "ip6tables">;

/**
 * Reads optional data of a snapshot. If the read fails, it records a problem of the snapshot and returns null.
 *
 * @param source name of the data in the problem
 */
export type Attempt = <T>(source: string, read: () => Promise<T>) => Promise<T | null>;

/** A table of nftables by family and name. */
interface TableName {
  readonly family: string;
  readonly table: string;
}

/** A program that prints the tables of iptables-nft for one nftables family. */
interface SaveProgram {
  readonly family: string;
  readonly program: string;
}

const IPTABLES_SAVE: SaveProgram = { family: "ip", program: "iptables-nft-save" };
const IP6TABLES_SAVE: SaveProgram = { family: "ip6", program: "ip6tables-nft-save" };
/** Names of the tables of iptables-nft. */
const IPTABLES_TABLES = ["raw", "mangle", "nat", "filter", "security"];

/**
 * Reads the rules of nftables and iptables-nft. Tables that iptables-nft prints are not read with nft: its JSON of the rules of 5,000
 * Services takes longer than everything else.
 */
export async function readNetfilter(run: CommandRunner, attempt: Attempt): Promise<NetfilterState> {
  const chains = await attempt("nftables", () => listObjects(run, "chains"));
  if (chains === null) return { nftables: null, iptables: "", ip6tables: "" };
  const tables = listTables(chains);
  const readIptables = async ({ family, program }: SaveProgram): Promise<string | null> => {
    const hasTable = tables.some((name) => name.family === family && IPTABLES_TABLES.includes(name.table));
    if (!hasTable) return "";
    return attempt(program, () => readOutput(run, [program, "-c"]));
  };
  const [iptables, ip6tables] = await Promise.all([readIptables(IPTABLES_SAVE), readIptables(IP6TABLES_SAVE)]);
  const printedTables = new Set([...listPrintedTables("ip", iptables), ...listPrintedTables("ip6", ip6tables)]);
  const nftables = await attempt("nftables", () => listOtherTables(run, tables, printedTables));
  return { nftables, iptables, ip6tables };
}

/** Lists the objects of tables that iptables-nft has not printed. @param printedTables like `ip nat` */
async function listOtherTables(
  run: CommandRunner,
  tables: readonly TableName[],
  printedTables: ReadonlySet<string>,
): Promise<Nftables> {
  const otherTables = tables.filter(({ family, table }) => !printedTables.has(`${family} ${table}`));
  // One process lists all tables if none is left out. Otherwise nft 1.0.6 needs one call for each table.
  const selectors =
    printedTables.size === 0 ? ["ruleset"] : otherTables.map(({ family, table }) => `table ${family} ${table}`);
  const objects =
    otherTables.length === 0 ? [] : await Promise.all(selectors.map((selector) => listObjects(run, selector)));
  const nftables = objects.flat();
  return lacksDevices(nftables) ? addDevices(nftables, await readOutput(run, ["nft", "list", "chains"])) : nftables;
}

/** Runs `nft list`. @param selector its arguments, like `table ip nat` */
async function listObjects(run: CommandRunner, selector: string): Promise<Nftables> {
  const text = await readOutput(run, ["nft", "-j", "list", ...selector.split(" ")]);
  return nftOutput.parse(JSON.parse(text)).nftables;
}

/** Returns the tables of chains, each once. */
function listTables(objects: Nftables): readonly TableName[] {
  const tables = new Map<string, TableName>();
  for (const { chain } of objects) {
    const { family = "", table = "" } = (chain ?? {}) as Partial<TableName>;
    if (table !== "") tables.set(`${family} ${table}`, { family, table });
  }
  return [...tables.values()];
}

/** Returns the tables in the output of iptables-save. It mentions tables that it cannot print only in comments. */
function listPrintedTables(family: string, saved: string | null): readonly string[] {
  return [...(saved ?? "").matchAll(/^\*(\S+)$/gm)].map(([, table = ""]) => `${family} ${table}`);
}
