import { type TraceFault, formatChain, makeNftFault } from "./trace-fault.ts";

/** Server pods on the faulty node, one of each type. */
const OVERLAY = "overlay-1-b";
const UNDERLAY = "underlay-1-b";
const MULTI_NIC = "multi-nic-1-b";

/** Faults of nftables tables of other software. */
export const NFTABLES_FAULTS: readonly TraceFault[] = [
  makeNftFault("a foreign table drops before conntrack, at priority -400", "ip", ({ getAddress }) =>
    formatChain("prerouting", -400, [`ip daddr ${getAddress(OVERLAY)} counter drop`]),
  ),
  makeNftFault("a foreign table drops after every other, at priority 400", "ip", ({ getAddress }) =>
    formatChain("postrouting", 400, [`ip daddr ${getAddress(UNDERLAY)} counter drop`]),
  ),
  makeNftFault("an anonymous set of addresses is dropped", "inet", ({ getAddress }) =>
    formatChain("forward", 5, [`ip saddr { ${getAddress(OVERLAY)}, ${getAddress(MULTI_NIC)} } drop`]),
  ),
  makeNftFault("a named set with an interval is dropped", "ip", ({ getAddress }) =>
    [
      "  set blocked {",
      "    type ipv4_addr; flags interval",
      `    elements = { 192.0.2.0/24, ${getAddress(UNDERLAY)}-${getAddress(UNDERLAY)} }`,
      "  }",
      formatChain("forward", -10, ["ip daddr @blocked drop"]),
    ].join("\n"),
  ),
  makeNftFault("a verdict map of address and protocol drops", "ip", ({ getAddress }) =>
    [
      "  map verdicts {",
      "    type ipv4_addr . inet_proto : verdict",
      `    elements = { ${getAddress(OVERLAY)} . tcp : drop, ${getAddress(MULTI_NIC)} . icmp : drop }`,
      "  }",
      formatChain("forward", 1, ["ip daddr . ip protocol vmap @verdicts"]),
    ].join("\n"),
  ),
  makeNftFault("a chain that another chain jumps to drops what it does not return", "inet", ({ getAddress }) =>
    [
      "  chain guard {",
      "    tcp dport 8080 return",
      "    udp dport 1-65535 goto away",
      "  }",
      "  chain away { drop; }",
      formatChain("forward", 2, [`ip daddr ${getAddress(OVERLAY)} jump guard`]),
    ].join("\n"),
  ),
  makeNftFault("UDP is rejected with an ICMP error", "inet", ({ getAddress }) =>
    formatChain("forward", -5, [
      `ip daddr ${getAddress(UNDERLAY)} meta l4proto udp reject with icmp type admin-prohibited`,
    ]),
  ),
  makeNftFault("TCP is rejected with a reset", "inet", ({ getAddress }) =>
    formatChain("forward", -5, [
      `ip daddr ${getAddress(OVERLAY)} tcp flags & (syn | ack) == syn reject with tcp reset`,
    ]),
  ),
  makeNftFault("replies are dropped: state established from the server", "ip", ({ getAddress }) =>
    formatChain("forward", 3, [`ip saddr ${getAddress(OVERLAY)} ct state established drop`]),
  ),
  makeNftFault("replies of translated connections are dropped", "ip", () =>
    formatChain("forward", 3, ["ct status dnat ct direction reply drop"]),
  ),
  makeNftFault("the uplink drops UDP as it arrives, by a netdev table", "netdev", () =>
    formatChain("ingress", 0, ["udp dport 1024-65535 udp sport 1024-65535 drop"], "device eth0"),
  ),
  makeNftFault("the uplink drops pings as they arrive, by a netdev table", "netdev", () =>
    formatChain("ingress", -500, ["icmp type echo-request drop"], "device eth0"),
  ),
  makeNftFault("a rule drops by the link that the packet leaves by", "inet", async ({ findLink }) =>
    formatChain("postrouting", 310, [`oifname "${await findLink(OVERLAY)}" meta l4proto tcp drop`]),
  ),
  makeNftFault("a wildcard of link names drops", "inet", () =>
    formatChain("forward", 0, ['iifname "cali*" oifname "vethil*" drop']),
  ),
  makeNftFault("a rule drops packets of a TTL", "ip", ({ getAddress }) =>
    formatChain("forward", -7, [`ip daddr ${getAddress(UNDERLAY)} ip ttl < 64 meta l4proto icmp drop`]),
  ),
  makeNftFault("the node drops its own connections to pods, in output", "ip", ({ getAddress }) =>
    formatChain("output", 0, [`ip daddr { ${getAddress(OVERLAY)}, ${getAddress(UNDERLAY)} } tcp dport 8080 drop`]),
  ),
  makeNftFault("the node drops what arrives for itself, in input", "inet", () =>
    formatChain(
      "input",
      -1,
      ['iifname { "vethil*", "cali*" } meta l4proto { tcp, udp } drop'].map((rule) => rule),
    ),
  ),
  makeNftFault("a mark of another's table sends packets elsewhere than the set says", "ip", ({ getAddress }) =>
    formatChain("prerouting", -160, [
      `ip daddr ${getAddress(OVERLAY)} meta mark set meta mark | 0x00000800`,
      "meta mark & 0x00000800 == 0x00000800 drop",
    ]),
  ),
  makeNftFault("conntrack zones differ by direction", "ip", ({ getAddress }) =>
    formatChain("prerouting", -300, [`ip daddr ${getAddress(OVERLAY)} ct zone set 7`]),
  ),
  makeNftFault("requests to Services are not tracked", "ip", ({ getServiceAddress: serviceAddress }) =>
    formatChain("prerouting", -300, [`ip daddr ${serviceAddress("overlay-1")} notrack`]),
  ),
  makeNftFault(
    "a foreign DNAT sends a Service to an address that nobody has",
    "ip",
    ({ getServiceAddress: serviceAddress }) =>
      [
        "  chain hijack {",
        "    type nat hook prerouting priority -110; policy accept;",
        `    ip daddr ${serviceAddress("underlay-1")} dnat to 10.7.255.250`,
        "  }",
      ].join("\n"),
  ),
  makeNftFault(
    "a foreign SNAT gives packets a source that nobody has",
    "ip",
    ({ getAddress }) =>
      [
        "  chain hide {",
        "    type nat hook postrouting priority 90; policy accept;",
        `    ip daddr ${getAddress(OVERLAY)} snat to 10.7.255.251`,
        "  }",
      ].join("\n"),
    { harmless: true },
  ),
  makeNftFault(
    "a pod's own table drops what it receives",
    "inet",
    () => formatChain("input", 0, ["meta l4proto tcp drop"]),
    { pod: OVERLAY },
  ),
  makeNftFault(
    "a pod's own table drops its replies",
    "inet",
    () => formatChain("output", 0, ["ct state established meta l4proto != tcp drop"]),
    { pod: UNDERLAY },
  ),
];
