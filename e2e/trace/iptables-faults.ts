import { type TraceFault, makeCommandFault } from "./trace-fault.ts";

const OVERLAY = "overlay-1-b";
const UNDERLAY = "underlay-1-b";
const SET = "trace-fault";

/** Builds the text of a rule, as `iptables -S` prints it after the chain. */
type BuildRule = (context: Parameters<TraceFault["make"]>[0]) => string;

/** Returns a fault of one rule that is put before the others of its chain. */
function makeRuleFault(
  title: string,
  program: "iptables" | "iptables-legacy",
  table: string,
  chain: string,
  buildRule: BuildRule,
  options: Pick<TraceFault, "harmless"> = {},
): TraceFault {
  return makeCommandFault(
    title,
    (context) => [[program, "-w", "-t", table, "-I", chain, ...buildRule(context).split(" ")]],
    (context) => [[program, "-w", "-t", table, "-D", chain, ...buildRule(context).split(" ")]],
    options,
  );
}

/** Faults of rules of iptables, in both backends. */
export const IPTABLES_FAULTS: readonly TraceFault[] = [
  makeRuleFault(
    "the legacy backend drops what is forwarded to a pod",
    "iptables-legacy",
    "filter",
    "FORWARD",
    ({ getAddress }) => `-d ${getAddress(OVERLAY)} -j DROP`,
  ),
  makeRuleFault(
    "the legacy backend drops in its table raw",
    "iptables-legacy",
    "raw",
    "PREROUTING",
    ({ getAddress }) => `-s ${getAddress(UNDERLAY)} -p tcp -j DROP`,
  ),
  makeRuleFault(
    "a rule drops several ports",
    "iptables",
    "filter",
    "FORWARD",
    ({ getAddress }) => `-d ${getAddress(OVERLAY)} -p tcp -m multiport --dports 79,8000:8100 -j DROP`,
  ),
  makeRuleFault(
    "a rule rejects by a negated address",
    "iptables",
    "filter",
    "FORWARD",
    ({ getAddress, getNodeAddress: nodeAddress }) =>
      `! -s ${nodeAddress(0)} -d ${getAddress(UNDERLAY)} -p icmp -j REJECT`,
  ),
  makeRuleFault(
    "a rule drops by the state of conntrack",
    "iptables",
    "mangle",
    "FORWARD",
    ({ getAddress }) => `-s ${getAddress(OVERLAY)} -m conntrack --ctstate RELATED,ESTABLISHED -j DROP`,
  ),
  makeRuleFault(
    "a rule drops by the type of the address",
    "iptables",
    "raw",
    "PREROUTING",
    () => "-p udp --dport 1:65000 -i vethil+ -m addrtype --dst-type LOCAL -j DROP",
  ),
  makeRuleFault(
    "requests to a Service are not tracked",
    "iptables",
    "raw",
    "PREROUTING",
    ({ getServiceAddress: serviceAddress }) => `-d ${serviceAddress("underlay-1")} -j CT --notrack`,
  ),
  makeRuleFault(
    "packets are accepted before Service rules are asked",
    "iptables",
    "nat",
    "PREROUTING",
    ({ getServiceAddress: serviceAddress }) => `-d ${serviceAddress("overlay-1")} -j ACCEPT`,
  ),
  makeRuleFault(
    "every packet from a pod is masqueraded",
    "iptables",
    "nat",
    "POSTROUTING",
    ({ getAddress }) => `-s ${getAddress("overlay-1-a")} -j MASQUERADE`,
    { harmless: true },
  ),
  makeCommandFault(
    "an ipset is dropped",
    ({ getAddress }) => [
      ["ipset", "create", SET, "hash:ip"],
      ["ipset", "add", SET, getAddress(OVERLAY)],
      ["ipset", "add", SET, getAddress(UNDERLAY)],
      ["iptables", "-w", "-I", "FORWARD", "-m", "set", "--match-set", SET, "dst", "-j", "DROP"],
    ],
    () => [
      ["iptables", "-w", "-D", "FORWARD", "-m", "set", "--match-set", SET, "dst", "-j", "DROP"],
      ["ipset", "destroy", SET],
    ],
  ),
  makeCommandFault(
    "an ipset of network, protocol and port is dropped",
    ({ getAddress }) => [
      ["ipset", "create", SET, "hash:ip,port"],
      ["ipset", "add", SET, `${getAddress(OVERLAY)},tcp:8080`],
      ["iptables", "-w", "-t", "raw", "-I", "PREROUTING", "-m", "set", "--match-set", SET, "dst,dst", "-j", "DROP"],
    ],
    () => [
      ["iptables", "-w", "-t", "raw", "-D", "PREROUTING", "-m", "set", "--match-set", SET, "dst,dst", "-j", "DROP"],
      ["ipset", "destroy", SET],
    ],
  ),
];
