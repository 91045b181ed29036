/**
 * Plan items that the suite's cluster does not need, each with the name of the test in
 * plugin/cni/netns/required-items.netns.test.ts that removes it where it is needed.
 */
const NEEDED_ELSEWHERE: readonly (readonly [title: RegExp, test: string])[] = [
  [/^multi-nic net1: pod: rule for an address to table 10003 /, "multi-NIC pod: rule from net1's address"],
  [/^multi-nic net1: pod: route to default .* table 10003 /, "multi-NIC pod: net1's own gateway"],
  [/^multi-nic net1: pod: route to (10|fd)\S+ dev net1 table 10003 /, "multi-NIC pod: net1's own network"],
  [
    /^multi-nic net1: pod: route to an address dev eth0 table 10002 /,
    "multi-NIC pod: the overlay address's own way to the node",
  ],
  [
    /^multi-nic net1: pod: route to (10|fd)\S+ by a gateway dev eth0 table 254 /,
    "multi-NIC pod: overlay and Services by eth0",
  ],
  [
    /^multi-nic net1: pod: route to an address by a gateway dev eth0 table 10003 /,
    "multi-NIC pod: the node's other addresses by eth0, in net1's table",
  ],
  [
    /^multi-nic net1: pod: route to (10\.233\.0|fd33::)\S+ by a gateway dev eth0 table 10003 /,
    "multi-NIC pod: Services by eth0, in net1's table",
  ],
  [
    /^multi-nic net1: pod: route to (10|fd)\S+ by a gateway dev eth0 table 10003 /,
    "multi-NIC pod: overlay networks by eth0, in net1's table",
  ],
  [/^(underlay eth0|multi-nic net1): pod: sysctl ipv6\.conf\.(eth0|net1)\.accept_ra /, "a pod's NIC: accept_ra off"],
  [/^(underlay eth0|multi-nic net1): pod: sysctl ipv6\.conf\.(eth0|net1)\.autoconf /, "a pod's NIC: autoconf off"],
  [/^multi-nic net1: pod: neighbour on eth0 /, "multi-NIC pod: the node pinned on eth0"],
  [/^multi-nic net1: node: neighbour on cali/, "node: net1's address pinned on Calico's pair"],
  [/^underlay eth0: pod: neighbour on veth0 /, "underlay pod: the node pinned on veth0"],
  [/^underlay eth0: node: neighbour on vethil/, "node: the underlay pod's address pinned on the pair"],
  [/^underlay eth0: pod: sysctl .*\.src_valid_mark /, "underlay pod: src_valid_mark on veth0"],
  [/^underlay eth0: pod: sysctl ipv4\.fwmark_reflect /, "underlay pod: fwmark_reflect, IPv4"],
  [/^underlay eth0: pod: sysctl ipv6\.fwmark_reflect /, "underlay pod: fwmark_reflect, IPv6"],
  [/^underlay eth0: (node|pod): sysctl ipv6\..*\.accept_dad /, "the pair: DAD off"],
  [/^underlay eth0: (node|pod): sysctl ipv6\..*\.accept_ra /, "the pair: no router advertisements"],
];

/** Decisions that only some kube-proxy versions show. */
const NEWER: readonly RegExp[] = [
  /^gate: nftables mode from v1\.30 on is taken/,
  /^gate: (nftables|iptables) mode is taken for/,
];

/**
 * Rules of the node's table that only other clusters and attackers show, with the test in
 * plugin/agent/reconcile/apply-node-table.netns.test.ts.
 */
const NODE_RULES: readonly (readonly [RegExp, string])[] = [
  [/^node: rule in FORWARD -[io] vethil\+ -m conntrack/, "answers a connection while FORWARD has the policy DROP"],
  // Calico accepts what its own pods send.
  [/^node: rule in FORWARD -s \S+ -o vethil\+$/, "answers a connection while FORWARD has the policy DROP"],
  [
    /^node: nft rule in exempt: exempt-further-nic/,
    "answers an overlay pod of another node that asks a further NIC with its own address",
  ],
  [/^node: nft rule in node_source: masquerade-service$/, "does not exempt anything with the return path none"],
];

/**
 * Rules of a pod's table for more clients than a set of the kernel holds, with the test in
 * plugin/datapath/apply/reply-mark.netns.test.ts.
 */
const CLIENT_RULES: readonly (readonly [RegExp, string])[] = [
  [
    /^underlay eth0: pod: nft rule in incoming: routed by veth0: /,
    "should not store a client in a network that is routed by veth0, and reach it",
  ],
  [
    /^underlay eth0: pod: nft rule in (incoming: client by veth0, its|replies: replies leave by veth0, to an) address/,
    "should reach known and new clients after 66,500 datagrams from different ports",
  ],
];

/** Rules that only save time or elements of a set: without them the rules behind them decide the same. */
const SHORTCUTS: readonly RegExp[] = [
  /^node: nft rule in exempt: shortcut$/,
  /^underlay eth0: pod: nft rule in (incoming|replies): a TCP socket keeps the mark$/,
  // Then only the client's address is stored.
  /^underlay eth0: pod: nft rule in (incoming: client|replies: replies leave) by veth0 \(ipv[46]\)$/,
];

/** Items that another environment's matrix detects. */
const ENVIRONMENTS: readonly (readonly [RegExp, string])[] = [
  [/^underlay eth0: pod: nft rule in incoming: path MTU by veth0$/, "no-encapsulation, dual stack"],
];

/** Routes that the kernel made: without one, the next hop is the gateway, which sends the packets back to the wire. */
const CONNECTED = /^underlay eth0: pod: route to \S+ dev eth0 table 254 /;

export const NODE_TESTS: readonly string[] = NODE_RULES.map(([, test]) => test);
export const CLIENT_TESTS: readonly string[] = CLIENT_RULES.map(([, test]) => test);
export const TESTS: readonly string[] = NEEDED_ELSEWHERE.map(([, test]) => test);

/** Returns why a mutant may survive; undefined: the item is not needed, or the matrix lacks a cell. */
export function findAllowlistReason(title: string): string | undefined {
  if (NEWER.some((pattern) => pattern.test(title)))
    return "needed by kube-proxy from v1.30 on, which this run had not: --kube-proxy v1.31.4,v1.31.4/nftables";
  if (SHORTCUTS.some((pattern) => pattern.test(title))) return "saves time only: the rules behind it decide the same";
  if (CONNECTED.test(title)) return "without it the gateway forwards: plugin/cni/netns/connected-routes.netns.test.ts";
  const environment = ENVIRONMENTS.find(([pattern]) => pattern.test(title))?.[1];
  if (environment !== undefined) return `needed in the environment ${environment}`;
  const test = [...NEEDED_ELSEWHERE, ...NODE_RULES, ...CLIENT_RULES].find(([pattern]) => pattern.test(title))?.[1];
  return test === undefined ? undefined : `needed elsewhere, shown by the test "${test}"`;
}
