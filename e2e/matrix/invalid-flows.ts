import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";

/** Packets of one direction of a TCP connection that a node received for forwarding while conntrack called them INVALID. */
export interface InvalidFlow {
  readonly family: IpFamily;
  /** Address with port, as in a cell's result: `10.0.0.1:80`, `[fd00::1]:80`. */
  readonly source: string;
  readonly destination: string;
  readonly received: number;
  /** Those that left the FORWARD hook; the others were dropped in it. */
  readonly forwarded: number;
}

const TABLE = "interlay-e2e";
const FAMILIES = ["ipv4", "ipv6"] as const;
const HOOKS = ["received", "forwarded"] as const;
/** Before and after every filter of the FORWARD hook: iptables has priority 0, kube-proxy's nftables mode 0 or -110. */
const PRIORITY = { received: -300, forwarded: 300 } as const;

const REMOVE = `add table inet ${TABLE}; delete table inet ${TABLE}`;
/** Sets that gain an element with a packet counter for each INVALID connection; the rules change no packet. */
const RULES = [
  REMOVE, // left by a run that was killed
  `table inet ${TABLE} {`,
  ...HOOKS.flatMap((hook) => [
    ...FAMILIES.map(
      (family) =>
        `set ${hook}-${family} { type ${family}_addr . ${family}_addr . inet_service . inet_service; flags dynamic; size 65535; }`,
    ),
    `chain ${hook} {`,
    `type filter hook forward priority ${PRIORITY[hook]};`,
    ...FAMILIES.map((family) => {
      const header = family === "ipv4" ? "ip" : "ip6";
      const key = `${header} saddr . ${header} daddr . tcp sport . tcp dport`;
      return `meta nfproto ${family} meta l4proto tcp ct state invalid add @${hook}-${family} { ${key} counter }`;
    }),
    "}",
  ]),
  "}",
].join("\n");

/**
 * Runs `work` while every node counts INVALID packets by connection, in an nftables table that is removed afterwards.
 *
 * @returns the value of `work`, and the connections of each node
 * @throws an error if a node cannot create or read the table
 */
export async function countInvalidFlows<T>(
  cluster: Pick<Cluster, "nodes" | "exec">,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly flows: ReadonlyMap<string, readonly InvalidFlow[]> }> {
  const runOnEach = <R>(action: (node: string) => Promise<R>) =>
    Promise.all(cluster.nodes.map(({ name }) => action(name)));
  const runNft = async (node: string, ...argv: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await cluster.exec(node, ["nft", ...argv]);
    if (exitCode !== 0)
      throw new Error(`counting INVALID packets on node ${node} failed: ${(stderr || stdout).trim().slice(0, 300)}`);
    return stdout;
  };
  try {
    await runOnEach((node) => runNft(node, RULES));
    const value = await work();
    const listings = await runOnEach(
      async (node) => [node, parseFlows(await runNft(node, "--json", "list", "table", "inet", TABLE))] as const,
    );
    return { value, flows: new Map(listings) };
  } finally {
    // An error of the work is the cause: nodes that cannot remove the table could not create it.
    await runOnEach((node) => runNft(node, REMOVE)).catch(() => undefined);
  }
}

const flowKey = z.tuple([z.string(), z.string(), z.number(), z.number()]);
const element = z.object({
  elem: z.object({ val: z.object({ concat: flowKey }), counter: z.object({ packets: z.number() }) }),
});
const listing = z.object({
  nftables: z.array(z.object({ set: z.object({ name: z.string(), elem: z.array(element).default([]) }).optional() })),
});

/** Parses `nft --json list table` of the counters' table. Pure. */
export function parseFlows(json: string): readonly InvalidFlow[] {
  const sets = new Map(listing.parse(JSON.parse(json)).nftables.map(({ set }) => [set?.name, set?.elem ?? []]));
  return FAMILIES.flatMap((family) => {
    const listCounters = (hook: (typeof HOOKS)[number]) =>
      (sets.get(`${hook}-${family}`) ?? []).map(({ elem: { val, counter } }) => {
        const [source, destination, sourcePort, destinationPort] = val.concat;
        return {
          source: formatEndpoint(source, sourcePort),
          destination: formatEndpoint(destination, destinationPort),
          packets: counter.packets,
        };
      });
    const forwarded = new Map(
      listCounters("forwarded").map(({ source, destination, packets }) => [`${source} ${destination}`, packets]),
    );
    return listCounters("received").map(({ source, destination, packets }) => ({
      family,
      source,
      destination,
      received: packets,
      forwarded: forwarded.get(`${source} ${destination}`) ?? 0,
    }));
  });
}

const formatEndpoint = (address: string, port: number): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`;
