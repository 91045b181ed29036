import type { Packet, Translation } from "./packet.ts";
import { ROUTE_TYPES } from "./snapshot.ts";

/** Netfilter hooks. `ingress` and `egress` are of family netdev, `bridge-…` of family bridge. */
export type Hook =
  | "ingress"
  | "egress"
  | "prerouting"
  | "input"
  | "forward"
  | "output"
  | "postrouting"
  | "bridge-prerouting"
  | "bridge-input"
  | "bridge-forward"
  | "bridge-output"
  | "bridge-postrouting";

/** rtm_type of an address or a route, as `addrtype` and `fib … type` name it. */
export type AddressType = (typeof ADDRESS_TYPES)[number];
/** All address types, as iptables and nft name them. */
export const ADDRESS_TYPES = ["unspec", ...ROUTE_TYPES] as const;

/** Key of a route lookup that a rule makes. */
export interface FibQuery {
  readonly address: string;
  /** Source address of the lookup, for policy rules. */
  readonly source?: string;
  /** Mark of the lookup; 0 unless the rule uses the packet's mark. */
  readonly mark?: number;
  /** Restricts the answer to this link: `--limit-iface-in`, `fib daddr . iif`. */
  readonly outLink?: string;
}

/** Element of an nft set or an ipset. */
export interface SetElement {
  /** Name that is unique in the namespace: `inet interlay clients-ipv4`, `ipset cali40s:x`. */
  readonly set: string;
  /** Text of the key; the parts of a concatenation are joined by ` . `. */
  readonly key: string;
}

/** Queries of a hook's rules to the network namespace and to conntrack. `addElement`, `track` and `translate` change the state of one trace; the other functions are pure. */
export interface HookContext {
  /** Type of an address in this namespace. */
  readonly findAddressType: (query: FibQuery) => AddressType;
  /** Link of the route to an address: `rpfilter`, `fib … oif`. Undefined without a route. */
  readonly findRouteLink: (query: FibQuery) => string | undefined;
  /** Reports whether a rule has added the element during this trace (`update @set`), in any hook of this namespace. */
  readonly hasAddedElement: (set: SetElement) => boolean;
  /** Records that a rule adds an element to a dynamic set: `update @set { … }`, `SET --add-set`. */
  readonly addElement: (set: SetElement) => void;
  /** Kind of a link (`veth`, …), for `iiftype` and `oifkind`. */
  readonly findLinkKind: (link: string) => string | undefined;
  /** Called once at priority -200 of `prerouting` and `output`: sets conntrack state, status, direction, mark and tuple. Returns an untracked packet as it is. */
  readonly track: (packet: Packet) => Packet;
  /** Reports whether nat chains of this hook evaluate the packet: it is the first of a connection without a translation of this kind. */
  readonly needsTranslation: (packet: Packet, hook: Hook) => boolean;
  /**
   * Called once at the nat priority of a hook (-100 prerouting and output, 100 input and postrouting) for a packet that
   * conntrack follows. Without a translation it applies what the connection already has.
   */
  readonly translate: (packet: Packet, hook: Hook, translation: Translation | undefined) => Packet;
}

/** A rule that matched the packet. */
export interface RuleStep {
  /** `ip`, `ip6`, `inet`, `netdev` or `bridge`. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** The rule as iptables-save or nft prints it; `policy drop` for a chain's policy. */
  readonly text: string;
  /** Effect of the rule: `drop`, `accept`, `mark 0x4000`, `jump KUBE-SVC-X`, `dnat to 10.0.0.1:80`, … */
  readonly effect: string;
}

export interface Outcome {
  /** `unknown`: a rule that could match has a part that the model does not know; it is the last step. */
  readonly verdict: "accept" | "drop" | "reject" | "unknown";
  /** Packet after marks, notrack and translation. */
  readonly packet: Packet;
  /** Rules that matched and had an effect, in order; the last one decides unless every chain's policy accepted. */
  readonly steps: readonly RuleStep[];
  /** `tcp-reset`, `icmp-port-unreachable`, …; with verdict `reject`. */
  readonly rejectWith?: string;
  /** Share of packets that take this branch; absent if no rule chooses at random. */
  readonly probability?: number;
}
