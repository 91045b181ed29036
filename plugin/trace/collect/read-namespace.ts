import type { z } from "zod";
import type { Family } from "../../datapath/address.ts";
import { getErrorMessage } from "../../errors/error-message.ts";
import type { NamespaceSnapshot } from "../snapshot.ts";
import { type CommandRunner, type NamespaceAccess, readOutput } from "./command-runner.ts";
import { bridgeFdb, ipLinks, ipNeighbours, ipRoutes, ipRules, tcQdiscs } from "./ip-output.ts";
import { parseAddresses, type ParsedLink, parseLinks } from "./parse-links.ts";
import { parseFdb, parseNeighbours } from "./parse-neighbours.ts";
import { parseListeners } from "./parse-listeners.ts";
import { type Attempt, readNetfilter } from "./read-netfilter.ts";
import { parseRoutes, parseRules } from "./parse-routes.ts";
import { readSysctls } from "./sysctls.ts";

/** State of one network namespace, whose links do not have their other ends yet. */
export interface CollectedNamespace {
  readonly namespace: NamespaceSnapshot;
  readonly links: readonly ParsedLink[];
}

const FAMILY_FLAG = { ipv4: "-4", ipv6: "-6" } as const;

/**
 * Reads a network namespace in one pass. Changes nothing and loads no kernel module: only existing tables of the legacy backend
 * are read.
 *
 * @throws an error if sysctls, links, routes or rules cannot be read; other failures become problems of the snapshot
 */
export async function readNamespace(
  identity: Pick<NamespaceSnapshot, "id" | "kind" | "name" | "node">,
  { run, inside }: NamespaceAccess,
): Promise<CollectedNamespace> {
  const problems: string[] = [];
  const attempt: Attempt = async (source, read) => {
    try {
      return await read();
    } catch (error) {
      problems.push(`cannot read ${source}: ${getErrorMessage(error)}`);
      return null;
    }
  };
  const { sysctls, legacyTables } = inside(() => readSysctls());
  const hasIpv6 = Object.keys(sysctls).some((path) => path.startsWith("net/ipv6/"));
  const families: readonly Family[] = hasIpv6 ? ["ipv4", "ipv6"] : ["ipv4"];
  const [[linkOutput, neighbourOutput, proxyOutput], routing, netfilter, qdiscs, sockets] = await Promise.all([
    readJsonLines(run, ["-d"], ["address show", "neighbour show nud all", "neighbour show proxy"]),
    Promise.all(
      families.map(async (family) => {
        const flags = ["-d", "-N", FAMILY_FLAG[family]];
        const [routes, rules] = await readJsonLines(run, flags, ["route show table all", "rule show"]);
        return { routes: parseRoutes(family, ipRoutes.parse(routes)), rules: parseRules(family, ipRules.parse(rules)) };
      }),
    ),
    readNetfilter(run, attempt),
    attempt("queueing disciplines", () => readJson(run, tcQdiscs, ["tc", "-j", "qdisc", "show"])),
    attempt("listening sockets", () => readOutput(run, ["ss", "-Hltun"])),
  ]);
  const addresses = ipLinks.parse(linkOutput);
  const links = parseLinks(addresses, qdiscs ?? []);
  const hasFdb = links.some(({ link: { kind } }) => kind === "vxlan" || kind === "bridge");
  const saveLegacy = (tables: readonly string[], program: string) =>
    tables.length === 0 ? "" : attempt(program, () => readOutput(run, [program, "-c"]));
  const [fdb, iptablesLegacy, ip6tablesLegacy] = await Promise.all([
    hasFdb
      ? attempt("forwarding databases", () => readJson(run, bridgeFdb, ["bridge", "-j", "fdb", "show"]))
      : undefined,
    saveLegacy(legacyTables.ipv4, "iptables-legacy-save"),
    saveLegacy(legacyTables.ipv6, "ip6tables-legacy-save"),
  ]);
  const usesSets = [netfilter.iptables, netfilter.ip6tables, iptablesLegacy, ip6tablesLegacy].some((text) =>
    text?.includes("--match-set"),
  );
  const ipsets = usesSets ? await attempt("ipsets", () => readOutput(run, ["ipset", "save"])) : "";
  return {
    links,
    namespace: {
      ...identity,
      links: links.map(({ link }) => link),
      addresses: parseAddresses(addresses),
      routes: routing.flatMap(({ routes }) => routes),
      rules: routing.flatMap(({ rules }) => rules),
      neighbours: parseNeighbours([...ipNeighbours.parse(neighbourOutput), ...ipNeighbours.parse(proxyOutput)]),
      fdb: parseFdb(fdb ?? []),
      sysctls,
      ...netfilter,
      iptablesLegacy,
      ip6tablesLegacy,
      ipsets,
      conntrack: readConntrack(sysctls),
      listeners: sockets === null ? null : parseListeners(sockets),
      problems,
    },
  };
}

/** Runs commands of `ip` in one process. @returns the JSON output of each command */
async function readJsonLines(
  run: CommandRunner,
  flags: readonly string[],
  commands: readonly string[],
): Promise<readonly unknown[]> {
  const text = await readOutput(run, ["ip", "-j", ...flags, "-batch", "-"], `${commands.join("\n")}\n`);
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.length !== commands.length)
    throw new Error(`ip printed ${lines.length} results for ${commands.length} commands: ${commands.join(", ")}`);
  return lines.map((line) => JSON.parse(line) as unknown);
}

async function readJson<T>(run: CommandRunner, schema: z.ZodType<T>, argv: readonly string[]): Promise<T> {
  const text = await readOutput(run, argv);
  return schema.parse(text.trim() === "" ? [] : JSON.parse(text));
}

function readConntrack(sysctls: NamespaceSnapshot["sysctls"]): NamespaceSnapshot["conntrack"] {
  const max = sysctls["net/netfilter/nf_conntrack_max"];
  const count = sysctls["net/netfilter/nf_conntrack_count"];
  return max === undefined || count === undefined ? null : { max: Number(max), count: Number(count) };
}
