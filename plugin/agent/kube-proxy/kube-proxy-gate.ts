import type { ReturnPath } from "../../datapath/facts.ts";
import type { KubeProxyState } from "./kube-proxy-observer.ts";

/** Whether the node's packet filter passes packets whose replies bypass the node. The reason of a closed gate has the remedy. */
export interface Gate {
  readonly open: boolean;
  readonly reason: string;
}

export interface GateInput {
  readonly returnPath: ReturnPath;
  /** Whether the return path has been applied to the kernel. */
  readonly applied: boolean;
  readonly tcpBeLiberal: 0 | 1;
  readonly kubeProxy: KubeProxyState;
  /** Rules of others that drop INVALID packets on the way to other nodes, a line each. */
  readonly otherDrops: readonly string[];
}

/** Decides whether the gate is open, by the rules in the kernel rather than by kube-proxy's version. Pure. */
export function decideGate({ returnPath, applied, tcpBeLiberal, kubeProxy, otherDrops }: GateInput): Gate {
  if (returnPath === "notrack" || returnPath === "snat") {
    if (!applied)
      return { open: false, reason: "The node's nftables table is not in the kernel yet; the agent writes it." };
    const asymmetric =
      "packets from underlay pods to other nodes' overlay pods are not tracked here where conntrack finds them INVALID";
    return {
      open: true,
      reason:
        returnPath === "notrack"
          ? `No filter drops them: ${asymmetric}.`
          : `Replies return to this node, for it masquerades; connections from before are kept: ${asymmetric}.`,
    };
  }
  const [otherRule] = otherDrops;
  if (!kubeProxy.invalidDropRule && otherRule !== undefined)
    return {
      open: false,
      reason: `This node drops INVALID packets (${otherRule}) and returnPath is ${returnPath}: set returnPath: notrack, or delete the rule.`,
    };
  if (!kubeProxy.invalidDropRule && tcpBeLiberal === 1)
    return { open: true, reason: "nf_conntrack_tcp_be_liberal is 1 and kube-proxy has left its INVALID rule out." };
  if (!kubeProxy.invalidDropRule) return { open: true, reason: "No rule of kube-proxy drops INVALID packets." };
  const version = kubeProxy.version ?? "of an unknown version";
  if (returnPath === "liberal" && isBelow129(kubeProxy.version))
    return {
      open: false,
      reason: `kube-proxy ${version} drops INVALID packets whatever nf_conntrack_tcp_be_liberal is: upgrade it to v1.29 or newer, or set returnPath: notrack.`,
    };
  if (returnPath === "liberal")
    return {
      open: false,
      reason: `kube-proxy ${version} still has its INVALID rule from before nf_conntrack_tcp_be_liberal was 1: restart it on this node.`,
    };
  return {
    open: false,
    reason: `kube-proxy ${version} drops INVALID packets and returnPath is none: set returnPath: notrack.`,
  };
}

/** Reports whether a version of kube-proxy is older than 1.29; false if it is unknown. */
export function isBelow129(version: string | null): boolean {
  const match = /^v?(\d+)\.(\d+)\./.exec(version ?? "");
  return match !== null && (Number(match[1]) < 1 || (Number(match[1]) === 1 && Number(match[2]) < 29));
}
