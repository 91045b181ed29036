import type { Cluster } from "../../clusters/provider/provider.ts";
import {
  splitLines,
  type NodeSnapshotCommand,
  PERMANENT_STATE,
  RULESET_STATE,
  SYSCTL_STATE,
} from "../../plugin/testing/restorable-state.ts";

/** Chains that kube-proxy and felix change with Services and pods; Interlay never writes them. */
const CHAINS_OF_OTHERS = /^chain (KUBE-|cali-)/;

/** Directories in which Interlay has files, without kubelet's pod directories. */
const FILES: NodeSnapshotCommand = {
  argv: [
    "find",
    "/opt/cni",
    "/etc",
    "/var/lib",
    "/var/log",
    "/run",
    "/usr/local",
    "-xdev",
    "-path",
    "/var/lib/kubelet",
    "-prune",
    "-o",
    "-printf",
    "%y %m %p %l\\n",
  ],
  parseLines: splitLines,
};
const LEGACY = ["iptables-legacy-save", "ip6tables-legacy-save"].map((program): NodeSnapshotCommand => ({
  argv: [program],
  parseLines: (output) => splitLines(output).filter((line) => !/^[#:]/.test(line)),
}));
const COMMANDS: readonly NodeSnapshotCommand[] = [
  ...PERMANENT_STATE,
  SYSCTL_STATE,
  { ...RULESET_STATE, parseLines: (output) => dropForeignChains(RULESET_STATE.parseLines(output)) },
  ...LEGACY,
  FILES,
];

/** Returns links, routes, rules, neighbours, sysctls, nftables, iptables and files of a node, a line each. */
export async function readInstalledState(cluster: Cluster, node: string): Promise<readonly string[]> {
  const outputs = await Promise.all(
    COMMANDS.map(async (command) => {
      const { stdout } = await cluster.exec(node, command.argv);
      const title = command === FILES ? "file" : command.argv.join(" ");
      return command.parseLines(stdout).map((line) => `${node}: ${title}: ${line}`);
    }),
  );
  return outputs.flat().sort();
}

/** Removes what changes by itself from the state. Pure. */
export function dropForeignChains(ruleset: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let skipping = false;
  for (const line of ruleset) {
    if (CHAINS_OF_OTHERS.test(line)) skipping = true;
    else if (!skipping) kept.push(line);
    else if (line === "}") skipping = false;
  }
  return kept;
}
