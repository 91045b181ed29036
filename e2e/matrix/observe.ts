import type { Cluster, KubeProxyMode } from "../../clusters/provider.ts";

/** What the gate is about, as the node's kernel has it. */
export interface NodeTruth {
  readonly node: string;
  readonly tcpBeLiberal: 0 | 1;
  readonly invalidDropRule: boolean;
  /** Packets that the rule has dropped since it was made; undefined where there is no rule or it does not count. */
  readonly invalidDropped: number | undefined;
}

const SYSCTL = "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal";

export async function observeNode(cluster: Cluster, node: string, mode: KubeProxyMode): Promise<NodeTruth> {
  const [sysctl, iptables, nftables] = await Promise.all([
    cluster.exec(node, ["cat", SYSCTL]),
    cluster.exec(node, ["iptables-save", "-c", "-t", "filter"]),
    mode === "nftables" ? cluster.exec(node, ["nft", "list", "table", "ip", "kube-proxy"]) : undefined,
  ]);
  const dropped = iptables.stdout
    .split("\n")
    .map(droppedByRule)
    .find((count) => count !== undefined);
  return {
    node,
    tcpBeLiberal: sysctl.stdout.trim() === "1" ? 1 : 0,
    invalidDropRule: dropped !== undefined || /^\s*ct state invalid .*drop/m.test(nftables?.stdout ?? ""),
    invalidDropped: dropped,
  };
}

/** `[12:720] -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP`, also with nfacct's match in it (newer versions). */
export function droppedByRule(line: string): number | undefined {
  const packets = /^\[(\d+):\d+\] -A KUBE-FORWARD .*--ctstate INVALID .*-j DROP/.exec(line)?.[1];
  return packets === undefined ? undefined : Number(packets);
}
