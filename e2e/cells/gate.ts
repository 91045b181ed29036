import type { KubeProxy } from "../../clusters/spec/kube-proxy.ts";
import { parseMinor } from "../../clusters/spec/version-skew.ts";
import type { BLOCKERS, PodType } from "../../results/schema.ts";

type Blocker = (typeof BLOCKERS)[number];

/** kube-proxy and return path, which decide the expected result of a cell. */
export interface Variant {
  readonly kubeProxy: KubeProxy;
  readonly returnPath: "notrack" | "liberal" | "snat" | "none";
  /** Name of the cluster's environment; undefined: the suite's default cluster. */
  readonly environment?: string;
}

/** Expected state of kube-proxy and the sysctl, asserted on every node. */
export interface Expectation {
  readonly tcpBeLiberal: 0 | 1;
  /** Whether kube-proxy has the rule that drops packets in conntrack state INVALID. */
  readonly invalidDropRule: boolean;
  readonly reason: string;
}

/** v1.29 is the first version that omits the rule when the sysctl is 1 (kubernetes/kubernetes pull 120412). */
const FIRST_LIBERAL_MINOR = 29;
/** v1.30 is the first version whose nftables mode never has the rule (kubernetes/kubernetes pull 122663). */
const FIRST_NFTABLES_MINOR_WITHOUT_RULE = 30;

/** Decides what kube-proxy's rule and the sysctl must be on every node of a variant. Pure. */
export function decideExpectation({ kubeProxy, returnPath }: Variant): Expectation {
  const tcpBeLiberal = returnPath === "liberal" ? 1 : 0;
  if (kubeProxy.mode === "none")
    return { tcpBeLiberal, invalidDropRule: false, reason: "no kube-proxy runs that could write the rule" };
  // pkg/proxy/ipvs/proxier.go, writeIptablesRules: KUBE-FORWARD only accepts.
  if (kubeProxy.mode === "ipvs")
    return { tcpBeLiberal, invalidDropRule: false, reason: "kube-proxy's IPVS mode drops no INVALID packets" };
  if (kubeProxy.mode === "nftables")
    return parseMinor(kubeProxy.version) >= FIRST_NFTABLES_MINOR_WITHOUT_RULE
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
  if (parseMinor(kubeProxy.version) < FIRST_LIBERAL_MINOR)
    return { tcpBeLiberal, invalidDropRule: true, reason: "below v1.29 kube-proxy always drops INVALID packets" };
  return tcpBeLiberal === 1
    ? { tcpBeLiberal, invalidDropRule: false, reason: "from v1.29 kube-proxy leaves the rule out when the sysctl is 1" }
    : { tcpBeLiberal, invalidDropRule: true, reason: "the sysctl is 0, so kube-proxy drops INVALID packets" };
}

/** Properties of a cell that decide its result. */
export interface GatedCell {
  readonly source: PodType | "node" | "external";
  /** Whether the target is an overlay address: of an overlay pod or a multi-NIC pod; not a Service. */
  readonly toOverlayAddress: boolean;
  readonly placement: "same-node" | "other-node" | "outside";
  readonly protocol: "tcp" | "udp" | "icmp";
}

export type Verdict =
  { readonly expected: "pass" } | { readonly expected: "blocked"; readonly by: Blocker; readonly reason: string };

/** The rule that blocks, as `iptables-save -t filter` prints it. */
const INVALID_RULE = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP";

/** Whether a cell's requests and replies take different paths, so that conntrack on the source's node sees half a handshake. */
export function isAsymmetric({ source, toOverlayAddress, placement, protocol }: GatedCell): boolean {
  return source === "underlay" && toOverlayAddress && placement === "other-node" && protocol === "tcp";
}

/**
 * Decides whether kube-proxy's rule blocks a cell. It blocks only asymmetric connections: an underlay pod's TCP packets to an
 * overlay address on another node leave through its own node, but the replies arrive over the underlay, so that node sees a SYN
 * and then an ACK. UDP and ICMP have no handshake; the node translates Services, so their replies return through it.
 */
export function decideKubeProxyVerdict(variant: Variant, cell: GatedCell): Verdict {
  const exempted = variant.returnPath === "notrack" || variant.returnPath === "snat";
  if (!isAsymmetric(cell) || exempted || !decideExpectation(variant).invalidDropRule) return { expected: "pass" };
  const rule = variant.kubeProxy.mode === "nftables" ? "table ip kube-proxy: ct state invalid drop" : INVALID_RULE;
  return {
    expected: "blocked",
    by: "invalid-rule",
    reason: `kube-proxy ${variant.kubeProxy.version} on the source's node drops the ACK as INVALID (${rule})`,
  };
}
