import assert from "node:assert/strict";
import { compileRules, createLookups, createPacket } from "../../../testing/trace-rules.ts";
import { CLIENT_PORT, RANDOM_PORT } from "../../chosen-port.ts";
import type { HookContext } from "../../hook.ts";
import type { Packet } from "../../packet.ts";
import { evaluateHook } from "../evaluate-hook.ts";

const IPSETS = `create net hash:net family inet hashsize 1024 maxelem 65536
add net 10.0.0.0/8
add net 10.7.0.0/16 nomatch
add net 10.7.0.5
create netport hash:net,port family inet hashsize 1024
add netport 10.233.0.0/16,tcp:80
add netport 10.233.0.0/16,udp:53
add netport 10.233.0.0/16,icmp:echo-request
create ports bitmap:port range 1-100
add ports 80
create iface hash:net,iface family inet hashsize 1024
add iface 10.7.0.0/16,eth0
create marks hash:ip,mark family inet
add marks 10.7.0.5,0x00000010
create masked hash:ip family inet netmask 24
add masked 10.7.0.0
create all list:set size 8
add all ports
add all net
create six hash:ip family inet6
add six fd00::1
`;

/** Evaluates one rule with target DROP and reports whether it dropped the packet; `unknown` if it is not decided. */
function matchRule(
  rule: string,
  fields: Partial<Packet> = {},
  lookups: Partial<HookContext> = {},
): boolean | "unknown" {
  const packet = createPacket(fields);
  const saved = `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD ${rule} -j DROP\nCOMMIT\n`;
  const ruleset = compileRules({
    [packet.family === "ipv4" ? "iptables" : "ip6tables"]: saved,
    ipsets: IPSETS,
  });
  const [outcome] = evaluateHook(ruleset, "forward", packet, createLookups(lookups));
  return outcome?.verdict === "unknown" ? "unknown" : outcome?.verdict === "drop";
}

const UDP: Partial<Packet> = { protocol: "udp", destinationPort: 53 };
const PING: Partial<Packet> = { protocol: "icmp", icmpType: 8, icmpCode: 0, sourcePort: 0, destinationPort: 0 };
const SIX: Partial<Packet> = { family: "ipv6", source: "fd00::1", destination: "fd00:7::1" };
const local: Partial<HookContext> = { findAddressType: () => "local" };

/** Rule, fields of the packet other than the TCP SYN 10.7.0.5:40000 -> 10.233.0.1:80, whether it matches, lookups. */
const CASES: readonly (readonly [string, Partial<Packet>, boolean | "unknown", Partial<HookContext>?])[] = [
  ["", {}, true],
  ["-s 10.7.0.5/32", {}, true],
  ["-s 10.7.0.4/31", {}, true],
  ["! -s 10.7.0.0/16", {}, false],
  ["-d 10.233.0.0/18", {}, true],
  ["-d 10.234.0.0/18", {}, false],
  ["-s 10.0.0.5/255.0.0.255", {}, true],
  ["-s 10.0.0.6/255.0.0.255", {}, false],
  ["-s fd00::/8", SIX, true],
  ["-d fd00:8::/32", SIX, false],
  ["-i eth0", {}, true],
  ["-i eth", {}, false],
  ["-i eth+", {}, true],
  ["! -o cali+", {}, true],
  ["-o +", {}, true],
  ["-p tcp", {}, true],
  ["-p 6", {}, true],
  ["! -p tcp", UDP, true],
  ["-p all", UDP, true],
  ["-p ipv6-icmp -m icmp6 --icmpv6-type 128", { ...SIX, ...PING, icmpType: 128 }, true],
  ["-f", {}, false],
  ["-p tcp -m tcp --dport 80", {}, true],
  ["-p tcp -m tcp ! --dport 80", {}, false],
  ["-p tcp -m tcp --sport 1024:65535 --dport 79:81", {}, true],
  ["-p tcp -m tcp --dport 81:", {}, false],
  ["-p udp -m udp --dport 53", UDP, true],
  ["-p udp -m udp --dport 53", {}, false],
  ["-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", {}, true],
  ["-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", { tcpFlags: ["syn", "ack"] }, false],
  ["-p tcp -m tcp ! --tcp-flags SYN,ACK SYN", { tcpFlags: ["ack"] }, true],
  ["-p tcp -m tcp --tcp-flags ALL NONE", { tcpFlags: [] }, true],
  ["-p tcp -m tcp --tcp-option 2", {}, "unknown"],
  ["-p tcp -m multiport --dports 22,79:80", {}, true],
  ["-p tcp -m multiport --ports 40000", {}, true],
  ["-p tcp -m multiport ! --sports 40000", {}, false],
  ["-p icmp -m icmp --icmp-type 8", PING, true],
  ["-p icmp -m icmp --icmp-type 8/1", PING, false],
  ["-p icmp -m icmp --icmp-type any", PING, true],
  ["-p icmp -m icmp ! --icmp-type 0", PING, true],
  ["-m mark --mark 0x1/0xf", { mark: 0x21 }, true],
  ["-m mark ! --mark 0x80000000/0x80000000", { mark: 0x80000000 }, false],
  ["-m mark --mark 0xffffffff", { mark: 0xffffffff }, true],
  ["-m connmark --mark 0x10/0x10", { connmark: 0x30 }, true],
  ["-m connmark ! --mark 0x10", { conntrackState: "invalid" }, false],
  ["-m conntrack --ctstate INVALID", { conntrackState: "invalid" }, true],
  ["-m conntrack --ctstate INVALID", { conntrackState: undefined }, true],
  ["-m conntrack --ctstate INVALID", { conntrackState: "untracked" }, false],
  ["-m conntrack --ctstate RELATED,ESTABLISHED", { conntrackState: "established" }, true],
  ["-m conntrack ! --ctstate NEW", {}, false],
  ["-m conntrack --ctstate DNAT", { conntrackStatus: { dnat: true, snat: false } }, true],
  ["-m conntrack --ctstate SNAT,UNTRACKED", { conntrackStatus: { dnat: true, snat: false } }, false],
  ["-m conntrack --ctdir REPLY", { direction: "reply" }, true],
  ["-m conntrack --ctdir REPLY", { conntrackState: "invalid", direction: "reply" }, false],
  ["-m conntrack --ctstate INVALID --ctdir REPLY", { conntrackState: "invalid" }, true],
  [
    "-m conntrack --ctorigdst 10.233.0.0/18 --ctorigdstport 443",
    { originalTuple: { source: "10.7.0.5", destination: "10.233.0.9", sourcePort: 1, destinationPort: 443 } },
    true,
  ],
  ["-m conntrack --ctreplsrc 10.0.0.1", {}, "unknown"],
  ["-m state --state NEW", {}, true],
  ["-m addrtype --dst-type LOCAL", {}, true, local],
  ["-m addrtype ! --dst-type LOCAL", {}, true],
  ["-m addrtype --src-type LOCAL,UNICAST", {}, true],
  [
    "-m addrtype --dst-type LOCAL --limit-iface-in",
    {},
    true,
    { findAddressType: ({ outLink }) => (outLink === "eth0" ? "local" : "unicast") },
  ],
  ["-m rpfilter", {}, true],
  ["-m rpfilter --invert", { inLink: "eth7" }, true],
  ["-m rpfilter --loose", { inLink: "eth7" }, true],
  ["-m rpfilter --loose", {}, false, local],
  ["-m rpfilter --accept-local --loose", {}, true, local],
  ["-m rpfilter --validmark", { mark: 7 }, true, { findRouteLink: ({ mark }) => (mark === 7 ? "eth0" : "eth9") }],
  ["-m physdev --physdev-is-bridged", {}, false],
  ["-m physdev --physdev-is-bridged", { inPort: "veth1", outPort: "veth2" }, true],
  ["-m physdev ! --physdev-is-in", {}, true],
  ["-m physdev --physdev-in veth+", { inPort: "veth1" }, true],
  ["-m set --match-set net src", {}, true],
  ["-m set --match-set net src", { source: "10.7.0.6" }, false],
  ["-m set --match-set net src", { source: "10.8.0.6" }, true],
  ["-m set ! --match-set net dst", {}, false],
  ["-m set --match-set netport dst,dst", {}, true],
  ["-m set --match-set netport dst,dst", { destinationPort: 81 }, false],
  ["-m set --match-set netport dst,dst", UDP, true],
  ["-m set --match-set netport dst,dst", PING, true],
  ["-m set --match-set netport dst", {}, false],
  ["-m set --match-set ports dst", {}, true],
  ["-m set --match-set ports dst", PING, false],
  ["-m set --match-set iface src,src", {}, true],
  ["-m set --match-set iface src,dst", {}, false],
  ["-m set --match-set marks src,src", { mark: 16 }, true],
  ["-m set --match-set masked src", {}, true],
  ["-m set --match-set all src,src", { destinationPort: 7, source: "10.9.9.9" }, true],
  ["-m set --match-set six src", {}, false],
  ["-m set ! --match-set six src", {}, true],
  ["-m set --match-set six src", SIX, true],
  ["-m set --match-set missing src", {}, "unknown"],
  ["-m statistic --mode random --probability 1.00000000000", {}, true],
  ["-m iprange --src-range 10.7.0.4-10.7.0.6", {}, true],
  ["-m length --length 0:59", {}, false],
  ["-m ttl --ttl-lt 65", {}, true],
  ["-m pkttype --pkt-type broadcast", {}, false],
  ["-m mac --mac-source 02:00:00:00:00:01", { sourceMac: "02:00:00:00:00:01" }, true],
  ["-m mac --mac-source 02:00:00:00:00:01", {}, "unknown"],
  ["-m dscp --dscp 0x08", {}, false],
  ['-m comment --comment "two words"', {}, true],
  ["-m nfacct --nfacct-name dropped", {}, true],
  ["-m limit --limit 5/min", {}, "unknown"],
  ["-m limit --limit 5/min -d 10.99.0.0/16", {}, false],
  ["-m nosuchmatch --x y", {}, "unknown"],
  ["-m nosuchmatch --x y -p udp", {}, false],
];

describe("iptables matches", () => {
  for (const [rule, fields, expected, lookups] of CASES) {
    const text = Object.keys(fields).length === 0 ? "" : ` with ${JSON.stringify(fields)}`;
    it(`answers ${expected} for "${rule}"${text}${lookups === undefined ? "" : " and other lookups"}`, () => {
      assert.equal(matchRule(rule, fields, lookups), expected);
    });
  }

  for (const [rule, fields, shares] of [
    ["-p tcp -m tcp --dport 1:65000", { destinationPort: RANDOM_PORT }, ["drop 0.99", "accept 0.01"]],
    ["-p tcp -m multiport --dports 1024:33280", { destinationPort: RANDOM_PORT }, ["drop 0.50", "accept 0.50"]],
    ["-p tcp -m tcp ! --sport 32768:46884", { sourcePort: CLIENT_PORT }, ["drop 0.50", "accept 0.50"]],
    ["-p tcp -m tcp --dport 1024:", { destinationPort: RANDOM_PORT }, ["drop 1.00"]],
    ["-p tcp -m tcp --dport 4789", { destinationPort: RANDOM_PORT }, ["accept 1.00"]],
  ] as const)
    it(`${rule} matches a port that a kernel chooses for a share of the packets`, () => {
      const saved = `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD ${rule} -j DROP\nCOMMIT\n`;
      const outcomes = evaluateHook(
        compileRules({ iptables: saved }),
        "forward",
        createPacket(fields),
        createLookups(),
      );
      assert.deepEqual(
        outcomes.map(({ verdict, probability = 1 }) => `${verdict} ${probability.toFixed(2)}`),
        shares,
      );
    });
});
