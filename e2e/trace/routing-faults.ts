import { type TraceFault, makeCommandFault } from "./trace-fault.ts";

const OVERLAY = "overlay-1-b";
const UNDERLAY = "underlay-1-b";
const TABLE = "7777";
const buildSysctlCommand = (name: string, value: number): readonly string[] => ["sysctl", "-qw", `${name}=${value}`];

type RouteType = "blackhole" | "prohibit" | "unreachable" | "throw";

/** Returns a fault of a policy rule for a pod's address, to a table whose only route is of that type. */
function makePolicyFault(
  type: RouteType,
  priority: string,
  selector: readonly string[],
  options: Pick<TraceFault, "harmless"> = {},
): TraceFault {
  return makeCommandFault(
    `a rule of priority ${priority} leads to a ${type} route`,
    ({ getAddress }) => [
      ["ip", "route", "add", type, "default", "table", TABLE],
      ["ip", "rule", "add", "priority", priority, ...selector, getAddress(OVERLAY), "table", TABLE],
    ],
    () => [
      ["ip", "rule", "delete", "priority", priority],
      ["ip", "route", "flush", "table", TABLE],
    ],
    options,
  );
}

/** Faults of routes, rules, sysctls and neighbours. */
export const ROUTING_FAULTS: readonly TraceFault[] = [
  makePolicyFault("blackhole", "7", ["to"]),
  makePolicyFault("prohibit", "8", ["from"]),
  makePolicyFault("unreachable", "9", ["iif", "vxlan.calico", "to"]),
  makePolicyFault("throw", "10", ["to"], { harmless: true }),
  makeCommandFault(
    "a rule by protocol leads to a blackhole",
    ({ getAddress }) => [
      ["ip", "route", "add", "blackhole", "default", "table", TABLE],
      ["ip", "rule", "add", "priority", "11", "ipproto", "udp", "to", getAddress(UNDERLAY), "table", TABLE],
    ],
    () => [
      ["ip", "rule", "delete", "priority", "11"],
      ["ip", "route", "flush", "table", TABLE],
    ],
  ),
  makeCommandFault(
    "a more specific route sends another node's pod to a node that does not exist",
    ({ getAddress }) => [
      ["ip", "route", "add", `${getAddress("overlay-2-b")}/32`, "via", "10.7.255.249", "dev", "eth0", "onlink"],
    ],
    ({ getAddress }) => [["ip", "route", "delete", `${getAddress("overlay-2-b")}/32`]],
  ),
  makeCommandFault(
    "the other node's pod is a blackhole",
    ({ getAddress }) => [["ip", "route", "add", "blackhole", `${getAddress("overlay-2-b")}/32`]],
    ({ getAddress }) => [["ip", "route", "delete", "blackhole", `${getAddress("overlay-2-b")}/32`]],
  ),
  makeCommandFault(
    "the node sends to the other node's pod with a source that nobody has",
    ({ getAddress, getNodeAddress: nodeAddress }) => [
      ["ip", "address", "add", "192.0.2.77/32", "dev", "lo"],
      ["ip", "route", "add", `${getAddress("underlay-2-b")}/32`, "dev", "eth0", "src", "192.0.2.77", "scope", "link"],
      ["ip", "route", "show", nodeAddress(0)],
    ],
    ({ getAddress }) => [
      ["ip", "route", "delete", `${getAddress("underlay-2-b")}/32`],
      ["ip", "address", "delete", "192.0.2.77/32", "dev", "lo"],
    ],
  ),
  makeCommandFault(
    "the node takes another node's pod's address for its own",
    ({ getAddress }) => [["ip", "address", "add", `${getAddress("overlay-2-b")}/32`, "dev", "lo"]],
    ({ getAddress }) => [["ip", "address", "delete", `${getAddress("overlay-2-b")}/32`, "dev", "lo"]],
  ),
  makeCommandFault(
    "one link does not forward",
    async ({ findLink }) => [buildSysctlCommand(`net.ipv4.conf.${await findLink(OVERLAY)}.forwarding`, 0)],
    async ({ findLink }) => [buildSysctlCommand(`net.ipv4.conf.${await findLink(OVERLAY)}.forwarding`, 1)],
  ),
  {
    // A pod that only serves: a node that asks others makes itself known to them, so what fails depends on who sent last.
    title: "an underlay pod answers no ARP request: arp_ignore 8",
    make: async ({ runInPod: inPod, forgetNeighbours }) => {
      await inPod(UNDERLAY, buildSysctlCommand("net.ipv4.conf.all.arp_ignore", 8));
      await forgetNeighbours();
    },
    undo: async ({ runInPod: inPod, forgetNeighbours }) => {
      await inPod(UNDERLAY, buildSysctlCommand("net.ipv4.conf.all.arp_ignore", 0));
      await forgetNeighbours();
    },
  },
  {
    title: "an overlay pod's link does not answer for its gateway: proxy_arp 0",
    make: async ({ execOnNode, findLink, runInPod: inPod }) => {
      await execOnNode(buildSysctlCommand(`net.ipv4.conf.${await findLink(OVERLAY)}.proxy_arp`, 0));
      await inPod(OVERLAY, ["ip", "neighbour", "flush", "dev", "eth0"]);
    },
    undo: async ({ execOnNode, findLink, forgetNeighbours }) => {
      await execOnNode(buildSysctlCommand(`net.ipv4.conf.${await findLink(OVERLAY)}.proxy_arp`, 1));
      await forgetNeighbours();
    },
  },
  makeCommandFault(
    "a neighbour is pinned to an address that nobody has",
    ({ getNodeAddress: nodeAddress }) => [
      ["ip", "neighbour", "replace", nodeAddress(1), "lladdr", "02:00:00:00:00:77", "dev", "eth0", "nud", "permanent"],
    ],
    ({ getNodeAddress: nodeAddress }) => [["ip", "neighbour", "delete", nodeAddress(1), "dev", "eth0"]],
  ),
  makeCommandFault(
    "reverse path filter, strict, on the uplink",
    () => [buildSysctlCommand("net.ipv4.conf.eth0.rp_filter", 1)],
    () => [buildSysctlCommand("net.ipv4.conf.eth0.rp_filter", 0)],
    { harmless: true },
  ),
  makeCommandFault(
    "the node answers no ping",
    () => [buildSysctlCommand("net.ipv4.icmp_echo_ignore_all", 1)],
    () => [buildSysctlCommand("net.ipv4.icmp_echo_ignore_all", 0)],
  ),
  {
    title: "an underlay pod's macvlan link is private",
    make: async ({ runInPod: inPod, forgetNeighbours }) => {
      await inPod(UNDERLAY, ["ip", "link", "set", "dev", "eth0", "type", "macvlan", "mode", "private"]);
      await forgetNeighbours();
    },
    undo: async ({ runInPod: inPod, forgetNeighbours }) => {
      await inPod(UNDERLAY, ["ip", "link", "set", "dev", "eth0", "type", "macvlan", "mode", "bridge"]);
      await forgetNeighbours();
    },
  },
  {
    title: "a pod sends its replies to a blackhole",
    make: async ({ runInPod: inPod, getAddress }) => {
      await inPod(OVERLAY, ["ip", "route", "add", "blackhole", `${getAddress("underlay-1-a")}/32`]);
    },
    undo: async ({ runInPod: inPod, getAddress }) => {
      await inPod(OVERLAY, ["ip", "route", "delete", "blackhole", `${getAddress("underlay-1-a")}/32`]);
    },
  },
];
