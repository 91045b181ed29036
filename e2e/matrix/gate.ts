import type { BLOCKERS, PodType } from "../../results/schema.ts";

type Blocker = (typeof BLOCKERS)[number];

/** What decides about a cell: what runs, and which way replies are kept. */
export interface Variant {
  readonly kubeProxy: { readonly version: string; readonly mode: "iptables" | "nftables" };
  readonly returnPath: "notrack" | "liberal" | "snat" | "none";
  /** Name of the environment that the cluster was made in; undefined: the suite's own. */
  readonly environment?: string;
}

/** What kube-proxy and the sysctl are then: asserted on every node before the cells run. */
export interface Expectation {
  readonly tcpBeLiberal: 0 | 1;
  /** kube-proxy's rule that drops what conntrack calls INVALID. */
  readonly invalidDropRule: boolean;
  readonly reason: string;
}

/** v1.29 is the first that leaves the rule out when the sysctl is 1 (kubernetes/kubernetes pull 120412). */
const FIRST_LIBERAL_MINOR = 29;
/** The nftables mode lost the rule altogether (kubernetes/kubernetes pull 122663). */
const FIRST_NFTABLES_WITHOUT = 30;

/** Minor of `v1.MINOR.PATCH`. Throws on what is no version: a gate must not guess. */
export function minorOf(version: string): number {
  const minor = /^v1\.(\d+)\.\d+/.exec(version)?.[1];
  if (minor === undefined) throw new Error(`"${version}" is no Kubernetes version (v1.MINOR.PATCH)`);
  return Number(minor);
}

export function expectationFor({ kubeProxy, returnPath }: Variant): Expectation {
  const tcpBeLiberal = returnPath === "liberal" ? 1 : 0;
  if (kubeProxy.mode === "nftables")
    return minorOf(kubeProxy.version) >= FIRST_NFTABLES_WITHOUT
      ? {
          tcpBeLiberal,
          invalidDropRule: false,
          reason: "from v1.30 kube-proxy's nftables mode drops no INVALID packets",
        }
      : {
          tcpBeLiberal,
          invalidDropRule: tcpBeLiberal === 0,
          reason: "v1.29's nftables mode has `ct state invalid drop` unless the sysctl is 1",
        };
  if (minorOf(kubeProxy.version) < FIRST_LIBERAL_MINOR)
    return { tcpBeLiberal, invalidDropRule: true, reason: "below v1.29 kube-proxy always drops INVALID packets" };
  return tcpBeLiberal === 1
    ? { tcpBeLiberal, invalidDropRule: false, reason: "from v1.29 kube-proxy leaves the rule out when the sysctl is 1" }
    : { tcpBeLiberal, invalidDropRule: true, reason: "the sysctl is 0, so kube-proxy drops INVALID packets" };
}

/** What of a cell decides. */
export interface GatedCell {
  readonly source: PodType | "node" | "external";
  /** The address asked belongs to the overlay: an overlay pod, or a multi-NIC pod's overlay address; not a Service. */
  readonly toOverlayAddress: boolean;
  readonly placement: "same-node" | "other-node" | "outside";
  readonly protocol: "tcp" | "udp" | "icmp";
}

export type Verdict =
  { readonly expected: "pass" } | { readonly expected: "blocked"; readonly by: Blocker; readonly reason: string };

/** The rule that blocks, as `iptables-save -t filter` prints it. */
const INVALID_RULE = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP";

/** Whether a cell's requests and replies take different ways, and conntrack on the source's node sees half a handshake. */
export function isAsymmetric({ source, toOverlayAddress, placement, protocol }: GatedCell): boolean {
  return source === "underlay" && toOverlayAddress && placement === "other-node" && protocol === "tcp";
}

/**
 * What a cell must do. Blocked is exactly what takes two ways: an underlay pod's TCP to an overlay address on another
 * node leaves through its own node, and is answered over the wire. That node sees a SYN and then an ACK. UDP and ICMP
 * have no handshake to miss; Services are translated on the node, so their replies come back through it.
 */
export function gate(variant: Variant, cell: GatedCell): Verdict {
  const exempted = variant.returnPath === "notrack" || variant.returnPath === "snat";
  if (!isAsymmetric(cell) || exempted || !expectationFor(variant).invalidDropRule) return { expected: "pass" };
  const rule = variant.kubeProxy.mode === "nftables" ? "table ip kube-proxy: ct state invalid drop" : INVALID_RULE;
  return {
    expected: "blocked",
    by: "invalid-rule",
    reason: `kube-proxy ${variant.kubeProxy.version} on the source's node drops the ACK as INVALID (${rule})`,
  };
}
