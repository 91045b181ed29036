import { execFile } from "node:child_process";
import { promisify } from "node:util";

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

/** The packet filter as everybody has made it, asked all at once. */
export async function readFilters(): Promise<Filters> {
  const chains = (["ip", "ip6"] as const).flatMap((family) =>
    ["forward", "filter-forward"].map((chain) => ["list", "chain", family, "kube-proxy", chain] as const),
  );
  const [saved, ...listed] = await Promise.all([
    Promise.all(
      IPTABLES.map(async (program) => [program, await said(`${program}-save`, ["-c", "-t", "filter"])] as const),
    ),
    ...chains.map((argv) => said("nft", argv)),
  ]);
  return { saved: Object.fromEntries(saved) as SavedFilters, kubeProxy: listed.join("\n") };
}

async function said(program: string, argv: readonly string[]): Promise<string> {
  try {
    return (await run(program, [...argv], { maxBuffer: MAX_BYTES })).stdout;
  } catch {
    return ""; // no such program, or no such chain
  }
}
