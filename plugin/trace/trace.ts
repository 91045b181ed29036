import type { RuleStep, Hook } from "./hook.ts";
import type { Packet, PacketProtocol, Tuple } from "./packet.ts";

/** Request for a trace. */
export interface TraceRequest {
  /** Id of the namespace of the client. */
  readonly source: string;
  /** Address that the client binds; without it the kernel selects one. */
  readonly sourceAddress?: string;
  readonly destination: string;
  /** Name of the Service whose ClusterIP is the destination: no host answers there unless a rule translates it. */
  readonly service?: string;
  readonly protocol: PacketProtocol;
  /** Destination port; ignored for ICMP. */
  readonly port: number;
  /** Bytes of payload in each direction; without it packets are small. */
  readonly bytes?: number;
}

/** Result of a packet, a path or a trace; `unknown` if the model cannot decide. */
export type TraceVerdict = "pass" | "drop" | "reject" | "unknown";

/** Kinds of failures; each has a remedy. */
export type FailureKind =
  /** A netfilter rule or a chain's policy drops or rejects the packet, or is not supported. */
  | "rule"
  /** An INVALID packet is dropped: this node does not see both directions of the connection. */
  | "invalid-state"
  | "no-route"
  /** A blackhole, unreachable or prohibit route or policy rule. */
  | "reject-route"
  | "no-source-address"
  | "forwarding-off"
  | "reverse-path-filter"
  | "martian"
  | "no-neighbour"
  | "wrong-neighbour"
  | "link-down"
  | "mtu"
  | "ttl"
  | "conntrack-full"
  | "no-tunnel-entry"
  | "no-listener"
  /** No rule translates the address of a Service. */
  | "no-translation"
  /** The answer's addresses are not those of a socket of the client. */
  | "wrong-reply"
  | "loop"
  /** The packet leaves the namespaces of the snapshot. */
  | "outside"
  /** The model does not support something, such as a kind of link or an eBPF program. */
  | "not-modelled";

/** A decision of the kernel about a packet. */
export type TraceEvent =
  | { readonly kind: "rule"; readonly hook: Hook; readonly step: RuleStep }
  | {
      readonly kind:
        | "send"
        | "route"
        | "source-check"
        | "neighbour"
        | "conntrack"
        | "translate"
        | "encapsulate"
        | "decapsulate"
        | "bridge"
        | "deliver"
        | "failure";
      /** One sentence or the text of the object that decided: the route and the policy rule as iproute2 prints them. */
      readonly text: string;
    };

/** A link that a frame passes between two hops: the parent of a macvlan link. */
export interface FramePass {
  readonly namespace: TraceHop["namespace"];
  readonly link: string;
  readonly direction: "in" | "out";
}

/** A packet's path through one network namespace. */
export interface TraceHop {
  readonly namespace: { readonly id: string; readonly kind: string; readonly name: string };
  /** Undefined in the namespace that sends the packet. */
  readonly inLink: string | undefined;
  /** Undefined in the namespace that receives or loses the packet. */
  readonly outLink: string | undefined;
  readonly before: Tuple;
  readonly after: Tuple;
  readonly conntrackState: Packet["conntrackState"];
  readonly mark: number;
  /** Outer packet, if the packet is in a tunnel. */
  readonly outer?: Tuple;
  /** Links that the frame passes on its way to the next hop. */
  readonly passes: readonly FramePass[];
  readonly events: readonly TraceEvent[];
}

/** Reason why a packet does not arrive. */
export interface TraceFailure {
  readonly verdict: Exclude<TraceVerdict, "pass">;
  readonly kind: FailureKind;
  readonly namespace: string;
  /** One sentence that names the object: `rp_filter=1 on eth0: the route to 10.0.0.1 is by cali1`. */
  readonly text: string;
  readonly hook?: Hook;
  /** The rule that dropped or rejected the packet, or that is not supported. */
  readonly rule?: RuleStep;
  /** Bytes that the sender learns by ICMP (fragmentation needed, packet too big); with kind `mtu` and verdict `reject`. */
  readonly mtu?: number;
}

/** One packet of the exchange. */
export interface PacketTrace {
  /** `SYN`, `SYN-ACK`, `ACK`, `request`, `reply`: TCP has the first three too, UDP and ICMP the last two alone. */
  readonly name: "SYN" | "SYN-ACK" | "ACK" | "request" | "reply";
  readonly direction: "request" | "reply";
  readonly hops: readonly TraceHop[];
  readonly failure?: TraceFailure;
}

/** The exchange with one result for each random choice of a rule. */
export interface TracePath {
  /** Share of connections that take this path. */
  readonly probability: number;
  readonly verdict: TraceVerdict;
  /** Packets in order; the last one is the one that failed, unless the verdict is `pass`. */
  readonly packets: readonly PacketTrace[];
  /** Namespace and address that the request reached. */
  readonly server?: { readonly namespace: string; readonly address: string; readonly port: number };
  /** Source address that the server sees. */
  readonly seenSource?: string;
  readonly failure?: TraceFailure;
}

export interface Trace {
  readonly request: TraceRequest;
  /** `pass` if every path passes; else the worst verdict: drop, reject, unknown. */
  readonly verdict: TraceVerdict;
  /** At least one; probabilities add up to 1. */
  readonly paths: readonly TracePath[];
}
