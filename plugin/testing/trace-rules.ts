import type { HookContext } from "../trace/hook.ts";
import { compileRuleset, type CompiledRuleset, type RulesetSnapshot } from "../trace/netfilter/compile-ruleset.ts";
import type { Packet } from "../trace/packet.ts";

const NO_RULES: RulesetSnapshot = {
  nftables: null,
  iptables: null,
  ip6tables: null,
  iptablesLegacy: null,
  ip6tablesLegacy: null,
  ipsets: null,
};

/** Compiles the rules of a namespace that has only the given ones. */
export function compileRules(snapshot: Partial<RulesetSnapshot>): CompiledRuleset {
  return compileRuleset({ ...NO_RULES, ...snapshot });
}

const SYN: Packet = {
  family: "ipv4",
  protocol: "tcp",
  source: "10.7.0.5",
  destination: "10.233.0.1",
  sourcePort: 40_000,
  destinationPort: 80,
  tcpFlags: ["syn"],
  length: 60,
  dontFragment: true,
  ttl: 64,
  mark: 0,
  connmark: 0,
  conntrackState: "new",
  conntrackStatus: { dnat: false, snat: false },
  conntrackZone: 0,
  direction: "original",
  inLink: "eth0",
  outLink: "eth1",
};

/** Creates the first packet of a TCP connection, with other fields as given. */
export function createPacket(fields: Partial<Packet> = {}): Packet {
  return { ...SYN, ...fields };
}

/** Creates lookups of a namespace where every address is reached by eth0 and conntrack calls every packet new. */
export function createLookups(functions: Partial<HookContext> = {}): HookContext {
  const added = new Set<string>();
  return {
    findAddressType: () => "unicast",
    findRouteLink: () => "eth0",
    findLinkKind: () => "veth",
    hasAddedElement: ({ set, key }) => added.has(`${set} ${key}`),
    addElement: ({ set, key }) => {
      added.add(`${set} ${key}`);
    },
    track: (packet) => ({ ...packet, conntrackState: packet.conntrackState ?? "new" }),
    needsTranslation: ({ conntrackState }) => conntrackState === "new",
    translate: (packet, _hook, translation) =>
      translation?.kind === "dnat" && translation.addresses !== undefined
        ? { ...packet, destination: translation.addresses[0], conntrackStatus: { dnat: true, snat: false } }
        : packet,
    ...functions,
  };
}
