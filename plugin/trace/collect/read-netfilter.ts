import type { NamespaceSnapshot } from "../snapshot.ts";
import { addDevices, lacksDevices } from "./chain-devices.ts";
import { type CommandRunner, readOutput } from "./command-runner.ts";
import { nftOutput } from "./ip-output.ts";

type Nftables = NonNullable<NamespaceSnapshot["nftables"]>;

/** Rules of nftables and of iptables-nft, as the snapshot has them. */
export type NetfilterState = Pick<NamespaceSnapshot, "nftables" | "iptables" | "ip6tables">;

/** Reads something that a trace can do without: a failure is a problem of the snapshot, and the value is null. */
export type Attempt = <T>(what: string, read: () => Promise<T>) => Promise<T | null>;

/** A table of nftables by family and name. */
interface TableName {
  readonly family: string;
  readonly table: string;
}

const PROGRAMS = { iptables: ["ip", "iptables-nft-save"], ip6tables: ["ip6", "ip6tables-nft-save"] } as const;
/** Tables of iptables-nft. */
const IPTABLES_TABLES = ["raw", "mangle", "nat", "filter", "security"];

/**
 * Reads the rules of nftables and of iptables-nft. Tables that iptables-nft prints are not listed by nft too: its JSON of the
 * rules of 5,000 Services takes longer than everything else.
 */
export async function readNetfilter(run: CommandRunner, attempt: Attempt): Promise<NetfilterState> {
  const chains = await attempt("nftables", () => listObjects(run, "chains"));
  if (chains === null) return { nftables: null, iptables: "", ip6tables: "" };
  const tables = listTables(chains);
  const save = async (name: keyof typeof PROGRAMS): Promise<string | null> => {
    const [family, program] = PROGRAMS[name];
    if (!tables.some((one) => one.family === family && IPTABLES_TABLES.includes(one.table))) return "";
    return attempt(program, () => readOutput(run, [program, "-c"]));
  };
  const [iptables, ip6tables] = await Promise.all([save("iptables"), save("ip6tables")]);
  const printed = new Set([...listPrinted("ip", iptables), ...listPrinted("ip6", ip6tables)]);
  const nftables = await attempt("nftables", () => listOthers(run, tables, printed));
  return { nftables, iptables, ip6tables };
}

async function listOthers(
  run: CommandRunner,
  tables: readonly TableName[],
  printed: ReadonlySet<string>,
): Promise<Nftables> {
  const others = tables.filter(({ family, table }) => !printed.has(`${family} ${table}`));
  // One process for all, where there is nothing to leave out. nft 1.0.6 lists only one table a call.
  const what = printed.size === 0 ? ["ruleset"] : others.map(({ family, table }) => `table ${family} ${table}`);
  const objects = others.length === 0 ? [] : await Promise.all(what.map((one) => listObjects(run, one)));
  const nftables = objects.flat();
  return lacksDevices(nftables) ? addDevices(nftables, await readOutput(run, ["nft", "list", "chains"])) : nftables;
}

async function listObjects(run: CommandRunner, what: string): Promise<Nftables> {
  const text = await readOutput(run, ["nft", "-j", "list", ...what.split(" ")]);
  return nftOutput.parse(JSON.parse(text)).nftables;
}

/** Returns the tables of chains, each once. */
function listTables(objects: Nftables): readonly TableName[] {
  const found = new Map<string, TableName>();
  for (const { chain } of objects) {
    const { family = "", table = "" } = (chain ?? {}) as Partial<TableName>;
    if (table !== "") found.set(`${family} ${table}`, { family, table });
  }
  return [...found.values()];
}

/** Returns the tables that iptables-save has printed; it names others "incompatible". */
function listPrinted(family: string, saved: string | null): readonly string[] {
  return [...(saved ?? "").matchAll(/^\*(\S+)$/gm)].map(([, table = ""]) => `${family} ${table}`);
}
