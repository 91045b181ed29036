import type { TcpFlag } from "../packet.ts";

/** States of a TCP connection in conntrack that occur in a trace. */
export type TcpState = "none" | "syn-sent" | "syn-received" | "established" | "fin-wait" | "close";
type Segment = "syn" | "syn-ack" | "fin" | "ack" | "rst";
/** Next state; `ignored` if the packet passes and changes nothing. */
type Transition = TcpState | "invalid" | "ignored";

const STATES: readonly TcpState[] = ["none", "syn-sent", "syn-received", "established", "fin-wait", "close"];

/** Excerpt of `tcp_conntracks` in net/netfilter/nf_conntrack_proto_tcp.c; columns as STATES. */
const TRANSITIONS: Readonly<Record<"original" | "reply", Readonly<Record<Segment, readonly Transition[]>>>> = {
  original: {
    syn: ["syn-sent", "syn-sent", "ignored", "ignored", "ignored", "syn-sent"],
    "syn-ack": ["invalid", "invalid", "syn-received", "invalid", "invalid", "invalid"],
    fin: ["invalid", "invalid", "fin-wait", "fin-wait", "fin-wait", "close"],
    ack: ["established", "invalid", "established", "established", "fin-wait", "close"],
    rst: ["invalid", "close", "close", "close", "close", "close"],
  },
  reply: {
    syn: ["invalid", "invalid", "invalid", "invalid", "invalid", "invalid"],
    "syn-ack": ["invalid", "syn-received", "ignored", "ignored", "ignored", "ignored"],
    fin: ["invalid", "invalid", "fin-wait", "fin-wait", "fin-wait", "close"],
    ack: ["invalid", "ignored", "syn-received", "established", "fin-wait", "close"],
    rst: ["invalid", "close", "close", "close", "close", "close"],
  },
};

/** Computes the next state after a segment. `nf_conntrack_tcp_be_liberal` has no effect here, because it concerns sequence numbers. */
export function advanceTcpState(
  state: TcpState,
  direction: "original" | "reply",
  flags: readonly TcpFlag[],
): Transition {
  return TRANSITIONS[direction][classifySegment(flags)][STATES.indexOf(state)] ?? "invalid";
}

function classifySegment(flags: readonly TcpFlag[]): Segment {
  if (flags.includes("rst")) return "rst";
  if (flags.includes("syn")) return flags.includes("ack") ? "syn-ack" : "syn";
  return flags.includes("fin") ? "fin" : "ack";
}
