import assert from "node:assert/strict";
import {
  createExchanges,
  createRouter,
  deleteRouter,
  type Exchange,
  execInRouter,
  loadInRouter,
  ROUTER_LOOKUPS,
} from "../../testing/trace-router.ts";
import { compileRules } from "../../testing/trace-rules.ts";
import type { Packet } from "../packet.ts";
import { type CompiledRuleset, listUnsupportedParts } from "./compile-ruleset.ts";
import { evaluateHook } from "./evaluate-hook.ts";

const SETS = `create net hash:net family inet
add net 10.0.0.0/8
add net 10.91.1.0/24 nomatch
add net 10.91.2.0/24
create netport hash:net,port family inet
add netport 10.91.2.0/24,udp:53
add netport 10.91.2.0/24,tcp:80-81
add netport 10.91.2.0/24,icmp:echo-request
create ipportip hash:ip,port,ip family inet
add ipportip 10.91.1.2,udp:53,10.91.2.2
create ports bitmap:port range 1-100
add ports 53
create iface hash:net,iface family inet
add iface 10.91.1.0/24,to-client
create masked hash:ip family inet netmask 24
add masked 10.91.1.0
create lists list:set
add lists ports
add lists masked
create six hash:ip family inet6
add six fd91:1::2
`;

/** Matches for both families. */
const COMMON_MATCHES = [
  "",
  `-i to-client`,
  "-i to+",
  "! -i to-c+",
  `-o to-client`,
  "-p tcp",
  "! -p udp",
  "-p udp -m udp --dport 53",
  "-p udp -m udp ! --sport 1:52",
  "-p tcp -m tcp --dport 80",
  "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
  "-p tcp -m tcp ! --tcp-flags SYN,RST SYN",
  "-p tcp -m tcp --tcp-flags ALL RST,ACK",
  "-p udp -m multiport --dports 52:53,80",
  "-p udp -m multiport ! --ports 53",
  "-p tcp -m multiport --sports 80,443",
  "-m conntrack --ctstate NEW",
  "-m conntrack ! --ctstate NEW",
  "-m conntrack --ctstate RELATED,ESTABLISHED",
  "-m conntrack --ctstate INVALID,UNTRACKED",
  "-m conntrack --ctstate DNAT",
  "-m conntrack --ctdir ORIGINAL",
  "-m conntrack --ctdir REPLY",
  "-m conntrack --ctproto 17",
  "-m conntrack --ctorigdstport 53",
  "-m conntrack ! --ctorigdstport 1:52",
  "-m state --state NEW",
  "-m mark --mark 0x0",
  "-m mark ! --mark 0x0/0xff",
  "-m connmark --mark 0x0",
  "-m connmark ! --mark 0x1",
  "-m addrtype --dst-type LOCAL",
  "-m addrtype ! --dst-type LOCAL",
  "-m addrtype --src-type UNICAST",
  "-m length --length 0:60",
  "-m length --length 61:100",
  "-m length ! --length 60",
  "-m pkttype --pkt-type unicast",
  "-m dscp --dscp 0x00",
  "-m statistic --mode nth --every 1 --packet 0",
  "-m physdev --physdev-is-bridged",
  "-m physdev ! --physdev-is-in",
  "-m set --match-set ports dst",
  "-m set --match-set ports src",
];

const IPV4_MATCHES = [
  "-s 10.91.1.2/32",
  "! -s 10.91.0.0/16",
  "-d 10.91.2.0/23",
  "-s 10.0.1.0/255.0.255.0",
  "-f",
  "-m ttl --ttl-eq 63",
  "-m ttl --ttl-lt 64",
  "-m iprange --src-range 10.91.1.2-10.91.1.9",
  "-m iprange ! --dst-range 10.91.1.2-10.91.1.9",
  "-m conntrack --ctorigsrc 10.91.1.0/24",
  "-m conntrack ! --ctorigdst 10.91.2.2",
  "-p icmp -m icmp --icmp-type 8",
  "-p icmp -m icmp ! --icmp-type 8",
  "-p icmp -m icmp --icmp-type 8/1",
  "-m set --match-set net src",
  "-m set ! --match-set net src",
  "-m set --match-set net dst",
  "-m set ! --match-set net dst",
  "-m set --match-set netport dst,dst",
  "-m set --match-set netport dst",
  "-m set --match-set netport src,src",
  "-m set --match-set ipportip src,dst,dst",
  "-m set --match-set iface src,src",
  "-m set --match-set iface src,dst",
  "-m set --match-set masked src",
  "-m set --match-set lists src",
  "-m set --match-set lists dst",
];

const IPV6_MATCHES = [
  "-s fd91:1::2/128",
  "! -d fd91:2::/64",
  "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
  "-p ipv6-icmp -m icmp6 ! --icmpv6-type 129",
  "-m hl --hl-eq 63",
  "-m conntrack --ctorigsrc fd91:1::/64",
  "-m set --match-set six src",
  "-m set ! --match-set six src",
];

/** Statements of nft in front of a counter. */
const NFT_MATCHES = [
  "meta nfproto ipv4",
  "ip saddr 10.91.1.2",
  "ip saddr != 10.91.1.2",
  "ip6 saddr fd91:1::/64",
  "ip6 daddr != { fd91:2::2, fd91:7::/64 }",
  "ip daddr { 10.91.2.0/24, 10.99.0.1-10.99.0.9 }",
  "ip saddr @clients",
  "ip saddr != @clients",
  "ip saddr . meta l4proto . th dport @tuples",
  "ip daddr . meta l4proto . th sport @tuples",
  'iifname "to-client"',
  'iifname "to-c*"',
  'iifname != "to-c*"',
  'oifname { "to-client", "eth*" }',
  'meta iifkind "veth"',
  'meta oifkind "bridge"',
  "iiftype ether",
  "meta l4proto { tcp, udp }",
  "meta protocol ip6",
  "meta length > 60",
  "meta length 60",
  "meta length 20-60",
  "meta mark 0",
  "meta mark & 0xff == 0x1",
  "meta pkttype host",
  "udp dport 53",
  "udp dport != 53",
  "udp sport 1024-65535",
  "th dport 53",
  "tcp dport 80",
  "tcp flags syn",
  "tcp flags == syn",
  "tcp flags & (syn | rst) == syn",
  "tcp flags != syn",
  "tcp flags { syn, rst | ack }",
  "icmp type echo-request",
  "icmp type { echo-reply, destination-unreachable }",
  "icmpv6 type echo-request",
  "icmp code 0",
  "ip ttl 63",
  "ip ttl < 64",
  "ip6 hoplimit 63",
  "ip protocol udp",
  "ip6 nexthdr udp",
  "ip dscp 0",
  "ip version 4",
  "ip frag-off & 0x1fff == 0",
  "ct state new",
  "ct state != new",
  "ct state established,related",
  "ct state { new, invalid }",
  "ct state & (established | related) != 0",
  "ct direction reply",
  "ct status dnat",
  "ct status seen-reply",
  "ct mark 0",
  "ct mark != 1",
  "ct protocol udp",
  "ct l3proto ipv4",
  "ct original ip saddr 10.91.1.0/24",
  "meta l4proto udp ct original proto-dst 53",
  "fib daddr type local",
  "fib daddr type unicast",
  "fib saddr type { local, unicast }",
  "fib saddr . iif oif exists",
  "fib saddr . iif oif missing",
  'fib daddr oifname "to-server"',
  "numgen inc mod 1 0",
];

const CHAINS = ["REQUEST", "REPLY"] as const;

/** Rules that do nothing but leave a trace: `MARK --set-xmark 0x0/0x0`, and in nft setting the mark to itself. */
function renderIptables(matches: readonly string[]): string {
  const rules = CHAINS.flatMap((chain) =>
    matches.map(
      (match, index) => `-A ${chain} ${match} -m comment --comment "rule ${index}" -j MARK --set-xmark 0x0/0x0`,
    ),
  );
  return [
    "*mangle",
    ":FORWARD ACCEPT [0:0]",
    ...CHAINS.map((chain) => `:${chain} - [0:0]`),
    "-A FORWARD -i to-client -j REQUEST",
    "-A FORWARD -i to-server -j REPLY",
    ...rules,
    "COMMIT",
    "",
  ].join("\n");
}

function renderNft(matches: readonly string[]): string {
  const rules = matches.map((match, index) => `${match} counter meta mark set meta mark comment "rule ${index}"`);
  return `table inet probe {
  set clients { type ipv4_addr; elements = { 10.91.1.2, 10.91.1.3 } }
  set tuples { type ipv4_addr . inet_proto . inet_service; elements = { 10.91.1.2 . udp . 53, 10.91.1.2 . tcp . 80 } }
  ${CHAINS.map((chain) => `chain ${chain} {\n${rules.join("\n")}\n}`).join("\n")}
  chain forward {
    type filter hook forward priority 0
    iifname "to-client" jump REQUEST
    iifname "to-server" jump REPLY
  }
}`;
}

/** Numbers of the rules whose counter is not zero, by chain. */
type MatchedRules = Readonly<Record<(typeof CHAINS)[number], readonly number[]>>;

function readIptablesCounters(program: string): MatchedRules {
  const matched = { REQUEST: [] as number[], REPLY: [] as number[] };
  const lines = execInRouter(program, "-c", "-t", "mangle").matchAll(
    /^\[(\d+):\d+\] -A (REQUEST|REPLY) .*"rule (\d+)"/gm,
  );
  for (const [, packets, chain, rule] of lines)
    if (packets !== "0") matched[chain as "REQUEST" | "REPLY"].push(Number(rule));
  return matched;
}

function readNftCounters(): MatchedRules {
  const matched = { REQUEST: [] as number[], REPLY: [] as number[] };
  for (const chain of CHAINS) {
    const lines = execInRouter("nft", "list", "chain", "inet", "probe", chain).matchAll(
      /counter packets (\d+) .*"rule (\d+)"/g,
    );
    for (const [, packets, rule] of lines) if (packets !== "0") matched[chain].push(Number(rule));
  }
  return matched;
}

function predictMatches(ruleset: CompiledRuleset, packet: Packet): readonly number[] {
  const [outcome, ...others] = evaluateHook(ruleset, "forward", packet, ROUTER_LOOKUPS);
  assert.deepEqual([outcome?.verdict, others], ["accept", []], outcome?.steps.at(-1)?.text);
  return (outcome?.steps ?? []).flatMap(({ text }) => {
    const rule = /"rule (\d+)"/.exec(text)?.[1];
    return rule === undefined ? [] : [Number(rule)];
  });
}

/** Compares the rules that the kernel counted with those that the evaluation says match. */
function compareMatches(
  exchange: Exchange,
  matches: readonly string[],
  counted: MatchedRules,
  ruleset: CompiledRuleset,
) {
  const listRules = (numbers: readonly number[]) => numbers.map((number) => matches[number] ?? "");
  assert.ok(counted.REQUEST.length > 0 && counted.REPLY.length > 0, "no rule counted a packet");
  assert.deepEqual(listRules(predictMatches(ruleset, exchange.request)), listRules(counted.REQUEST), "request");
  assert.deepEqual(listRules(predictMatches(ruleset, exchange.reply)), listRules(counted.REPLY), "reply");
}

describe("netfilter evaluation compared with the kernel's counters", () => {
  before(createRouter);
  after(deleteRouter);

  for (const family of ["ipv4", "ipv6"] as const) {
    const prefix = family === "ipv4" ? "iptables" : "ip6tables";
    const matches = [...COMMON_MATCHES, ...(family === "ipv4" ? IPV4_MATCHES : IPV6_MATCHES)];

    for (const exchange of createExchanges(family))
      it(`finds the same iptables rules for ${exchange.name}`, () => {
        loadInRouter(["ipset", "-exist", "restore"], SETS);
        loadInRouter([`${prefix}-nft-restore`], renderIptables(matches));
        const saved = execInRouter(`${prefix}-nft-save`, "-c");
        const ruleset = compileRules({ [prefix]: saved, ipsets: execInRouter("ipset", "save") });
        assert.deepEqual(listUnsupportedParts(ruleset), []);
        exchange.send();
        compareMatches(exchange, matches, readIptablesCounters(`${prefix}-nft-save`), ruleset);
      });

    for (const exchange of createExchanges(family))
      it(`finds the same nft rules for ${exchange.name}`, () => {
        execInRouter("nft", "flush", "ruleset");
        loadInRouter(["nft", "-f", "-"], renderNft(NFT_MATCHES));
        const listed = JSON.parse(execInRouter("nft", "-j", "list", "ruleset")) as {
          nftables: Record<string, unknown>[];
        };
        const ruleset = compileRules({ nftables: listed.nftables });
        assert.deepEqual(listUnsupportedParts(ruleset), []);
        exchange.send();
        compareMatches(exchange, NFT_MATCHES, readNftCounters(), ruleset);
      });
  }
});
