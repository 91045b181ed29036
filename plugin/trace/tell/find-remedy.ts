import type { TraceFailure } from "../trace.ts";

/** Patterns of a rule of known software, with the remedy if it drops a packet. */
interface KnownRule {
  readonly table?: RegExp;
  readonly chain?: RegExp;
  readonly text?: RegExp;
  readonly remedy: string;
}

const LOCAL_POLICY =
  "externalTrafficPolicy or internalTrafficPolicy is Local, and this node has no endpoint of the Service: use another node or policy Cluster.";

/** Rules of known software, the most specific first. */
const KNOWN_RULES: readonly KnownRule[] = [
  {
    chain: /^KUBE-FORWARD$|^forward$/,
    text: /INVALID|invalid/,
    remedy:
      "kube-proxy drops packets of connections that this node sees in one direction only: set returnPath: notrack in ConfigMap interlay-config, and see condition ReturnPathReady of this node's NodeState.",
  },
  {
    chain: /^cali-/,
    text: /INVALID|invalid/,
    remedy:
      "Calico drops packets of connections that this node sees in one direction only: see why the reply takes another way than the request.",
  },
  {
    chain: /^cali-(?:tw|fw|pi|po|pro|pri)/,
    remedy:
      "A Calico or Kubernetes network policy denies this connection: kubectl get networkpolicies -A, and the policies of Calico.",
  },
  {
    chain: /^cali-/,
    remedy: "Calico drops this packet: see its network policies, host endpoints and FelixConfiguration.",
  },
  {
    text: /has no local endpoints/,
    remedy: LOCAL_POLICY,
  },
  {
    chain: /^KUBE-SERVICES$|^KUBE-EXTERNAL-SERVICES$|^KUBE-NODEPORTS$|no-endpoint|^services$/,
    text: /no endpoints|REJECT|reject/,
    remedy: "The Service has no ready endpoint: kubectl get endpointslices, and the readiness of its pods.",
  },
  {
    chain: /^KUBE-XLB-|^KUBE-SVL-|^external-/,
    remedy: LOCAL_POLICY,
  },
  {
    table: /^interlay$/,
    chain: /guard|prerouting/,
    remedy:
      "The source guard drops packets whose source is not an address of the pod: see the pod's addresses and its own routes.",
  },
  {
    chain: /^FORWARD$|^filter_FORWARD/,
    text: /^policy (?:drop|DROP)/,
    remedy:
      "Other software (Docker, firewalld) lets the node forward only what it knows: the agent adds exceptions for its pods; see condition ForwardingReady of this node's NodeState.",
  },
];

const REMEDIES: Readonly<Record<TraceFailure["kind"], string | undefined>> = {
  rule: "Find out which software made this rule, and make an exception for the addresses above.",
  "invalid-state":
    "This node sees one direction of the connection alone: set returnPath: notrack in ConfigMap interlay-config, or give request and reply the same way.",
  "no-route": "Add a route, or see why the software that should have made it (Calico, Interlay's agent) has not.",
  "reject-route": "Delete the route or rule, or find out which software made it.",
  "no-source-address": "Give the link of the route an address, or the route a source (src).",
  "forwarding-off": "Set net.ipv4.ip_forward=1 (net.ipv6.conf.all.forwarding=1), also for the link.",
  "reverse-path-filter":
    "Set rp_filter to 0 or 2 for this link and for all: the kernel uses the greater of both values.",
  martian:
    "The kernel accepts this address by no link of this kind: see route_localnet and accept_local, and who sends it.",
  "no-neighbour":
    "See whether the owner of the address runs, answers ARP on that link (arp_ignore, proxy_arp), and is in the same network.",
  "wrong-neighbour":
    "Delete the neighbour entry (ip neighbour delete), and find out who pinned it or answers for the address.",
  "link-down": "Set the link up, and see whether its other end is up.",
  mtu: "Give every link and route on the way the same MTU, or let ICMP errors (fragmentation needed) pass.",
  ttl: "See whether two nodes send the packet to each other: a route is wrong on one of them.",
  "conntrack-full": "Raise net.netfilter.nf_conntrack_max, and see which connections fill the table.",
  "no-tunnel-entry":
    "See whether the overlay's agent (calico-node, flanneld) runs on this node: it writes the forwarding database.",
  "no-listener": "No program listens there: see the pod, its port and the Service's targetPort.",
  "no-translation":
    "Run kube-proxy on this node in iptables, nftables or ipvs mode, and see whether it knows the Service.",
  "wrong-reply":
    "The reply does not come from the address that was asked: see who translates the request, and whether the reply passes the same node.",
  loop: "Two nodes send the packet to each other: a route is wrong on one of them.",
  outside: undefined,
  "not-modelled": undefined,
};

/**
 * Finds the remedy of a failure.
 *
 * @returns one sentence; undefined if no remedy is known
 */
export function findRemedy(failure: TraceFailure): string | undefined {
  const { rule, verdict, kind } = failure;
  if (verdict === "unknown") return undefined;
  if (rule === undefined) return REMEDIES[kind];
  const knownRule = KNOWN_RULES.find(
    ({ table, chain, text }) =>
      (table?.test(rule.table) ?? true) && (chain?.test(rule.chain) ?? true) && (text?.test(rule.text) ?? true),
  );
  return knownRule?.remedy ?? REMEDIES[kind];
}
