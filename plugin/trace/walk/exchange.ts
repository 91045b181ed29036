import { CLIENT_PORT } from "../chosen-port.ts";
import type { Packet, Tuple } from "../packet.ts";
import { readSysctl } from "../routing/namespace-state.ts";
import { getTextFamily } from "../routing/ip-number.ts";
import type { PacketTrace, TracePath, TraceRequest } from "../trace.ts";
import { losePacket, PacketLost } from "./failure.ts";
import { requireClient, requireListener, requireServer } from "./delivery-checks.ts";
import type { Delivery } from "./receive-packet.ts";
import { type RouteChoice, sendPacket } from "./send-packet.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import { getTuple, type WalkState } from "./walk-state.ts";
import { walkPacket } from "./walk-packet.ts";

/** Bytes of a packet without or with little payload. */
const PACKET_BYTES = 60;
/** Bytes of IPv6 and TCP headers, the longest headers of a traced packet. */
const HEADER_BYTES = 60;
const DEFAULT_TTL = 64;

/** Port to which ping of iputils connects a UDP socket before its first echo request. */
const PING_UDP_PORT = 1025;

/** ICMP types of echo request and reply. */
const ECHO = { ipv4: { request: 8, reply: 0 }, ipv6: { request: 128, reply: 129 } } as const;

type Exchange = Omit<TracePath, "probability">;

/** Sends the packets of a connection in both directions through the namespaces, until one is lost. */
export function runExchange(walk: WalkState, request: TraceRequest): Exchange {
  const packets: PacketTrace[] = [];
  let server: Exchange["server"];
  let seenSource: string | undefined;
  try {
    const client = walk.getNamespace(request.source);
    const first = sendFirst(walk, packets, client, request);
    server = {
      namespace: first.namespace.state.snapshot.id,
      address: first.packet.destination,
      port: first.packet.destinationPort,
    };
    seenSource = first.packet.source;
    answerRequest(walk, packets, client, request, first);
    return { verdict: "pass", packets, server, seenSource };
  } catch (error) {
    if (!(error instanceof PacketLost)) throw error;
    const { failure } = error;
    return {
      verdict: failure.verdict,
      packets,
      failure,
      ...(server === undefined ? {} : { server }),
      ...(seenSource === undefined ? {} : { seenSource }),
    };
  }
}

/** A delivered packet, with the addresses and ports of its sender's socket. */
interface SentPacket extends Delivery {
  readonly sent: Tuple;
  /** MTU of the sender's route in bytes. */
  readonly mtu: number;
}

/** Sends one packet to its receiver and records its hops, also if it is lost. */
function runPacket(
  walk: WalkState,
  packets: PacketTrace[],
  label: Pick<PacketTrace, "name" | "direction">,
  namespace: NamespaceModel,
  packet: Packet,
  choice: RouteChoice,
  check: (delivery: Delivery) => void,
): SentPacket {
  try {
    const sent = sendPacket(walk, namespace, packet, choice);
    const delivery = walkPacket(walk, sent);
    check(delivery);
    packets.push({ ...label, hops: walk.takeHops() });
    return { ...delivery, sent: { ...getTuple(packet), source: sent.source }, mtu: sent.mtu };
  } catch (error) {
    if (!(error instanceof PacketLost)) throw error;
    const { mtu } = error.failure;
    if (mtu !== undefined && mtu < packet.length) {
      // Path MTU discovery: the sender gets an ICMP error and sends less.
      walk.takeHops();
      return runPacket(walk, packets, label, namespace, { ...packet, length: mtu }, choice, check);
    }
    const lost = label.direction === "reply" ? decideReply(walk, packet, error) : error;
    walk.note({ kind: "failure", text: lost.failure.text });
    packets.push({ ...label, hops: walk.takeHops(), failure: lost.failure });
    throw lost;
  }
}

/** Converts the loss of a reply outside of the snapshot to a failure if the client cannot have its destination address. */
function decideReply({ model }: WalkState, { destination }: Packet, lost: PacketLost): PacketLost {
  const { failure } = lost;
  if (failure.kind !== "outside" || model.addresses.has(destination)) return lost;
  const text = `the answer goes to ${destination}, which the client does not have: ${failure.text}`;
  return losePacket("drop", "wrong-reply", failure.namespace, text);
}

function sendFirst(walk: WalkState, packets: PacketTrace[], client: NamespaceModel, request: TraceRequest): SentPacket {
  const { protocol } = request;
  const family = getTextFamily(request.destination);
  const packet = makePacket(client, {
    protocol,
    family,
    source: request.sourceAddress ?? { ipv4: "0.0.0.0", ipv6: "::" }[family],
    destination: request.destination,
    sourcePort: protocol === "icmp" ? 0 : CLIENT_PORT,
    destinationPort: protocol === "icmp" ? 0 : request.port,
    ...(protocol === "tcp" ? { tcpFlags: ["syn"] } : {}),
    ...(protocol === "icmp" ? { icmpType: ECHO[family].request, icmpCode: 0 } : {}),
    ...(protocol === "udp" ? { length: computeLength(request) } : {}),
  });
  const choice = {
    source: request.sourceAddress,
    again: protocol === "tcp" && family === "ipv4",
    ...(protocol === "icmp" && request.sourceAddress === undefined ? { udpPort: PING_UDP_PORT } : {}),
  };
  return runPacket(
    walk,
    packets,
    { name: protocol === "tcp" ? "SYN" : "request", direction: "request" },
    client,
    packet,
    choice,
    requireListener,
  );
}

function answerRequest(
  walk: WalkState,
  packets: PacketTrace[],
  client: NamespaceModel,
  request: TraceRequest,
  first: SentPacket,
): void {
  const { protocol, family } = first.packet;
  const { sent } = first;
  const answer = (name: "SYN-ACK" | "reply", change: Partial<Packet>): SentPacket => {
    const packet = makePacket(first.namespace, { ...reverseTuple(first.packet), protocol, family, ...change });
    return runPacket(
      walk,
      packets,
      { name, direction: "reply" },
      first.namespace,
      packet,
      { source: packet.source },
      (delivery) => {
        requireClient(client, sent, delivery);
      },
    );
  };
  const mark = chooseReplyMark(first);
  if (protocol !== "tcp") {
    const change =
      protocol === "icmp" ? { icmpType: ECHO[family].reply, icmpCode: 0 } : { length: computeLength(request) };
    answer("reply", { mark, ...change });
    return;
  }
  const accepted = answer("SYN-ACK", { mark, tcpFlags: ["syn", "ack"] });
  // Each end announces the segment size that its own route allows.
  const length = Math.min(computeLength(request), first.mtu, accepted.mtu);
  // An IPv6 socket keeps the route that it found without a source address (ip6_dst_store).
  const source = family === "ipv6" ? request.sourceAddress : sent.source;
  const send = (name: "ACK" | "request", change: Partial<Packet>): void => {
    const packet = makePacket(client, { ...sent, protocol, family, ...change });
    runPacket(walk, packets, { name, direction: "request" }, client, packet, { source }, (delivery) => {
      requireServer(first, delivery);
    });
  };
  send("ACK", { tcpFlags: ["ack"] });
  send("request", { tcpFlags: ["psh", "ack"], length });
  answer("reply", { mark, tcpFlags: ["psh", "ack"], length });
}

function computeLength({ bytes = 0 }: TraceRequest): number {
  return Math.max(PACKET_BYTES, bytes + HEADER_BYTES);
}

function reverseTuple(packet: Tuple): Tuple {
  return {
    source: packet.destination,
    destination: packet.source,
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
  };
}

/** Returns the mark of replies: TCP keeps the SYN's with tcp_fwmark_accept, the kernel's own replies with fwmark_reflect, UDP none. */
function chooseReplyMark({ namespace: { state }, packet }: Delivery): number {
  const sysctl = {
    tcp: "net/ipv4/tcp_fwmark_accept",
    icmp: `net/${packet.family}/fwmark_reflect`,
    udp: undefined,
  }[packet.protocol];
  return sysctl !== undefined && readSysctl(state, sysctl) !== 0 ? packet.mark : 0;
}

function makePacket(
  { state }: NamespaceModel,
  fields: Pick<Packet, "protocol" | "family" | "source" | "destination" | "sourcePort" | "destinationPort"> &
    Partial<Packet>,
): Packet {
  const ttl =
    fields.family === "ipv4"
      ? readSysctl(state, "net/ipv4/ip_default_ttl", DEFAULT_TTL)
      : readSysctl(state, "net/ipv6/conf/all/hop_limit", DEFAULT_TTL);
  return {
    length: PACKET_BYTES,
    dontFragment: fields.protocol === "tcp",
    ttl,
    mark: 0,
    connmark: 0,
    conntrackState: undefined,
    conntrackStatus: { dnat: false, snat: false },
    conntrackZone: 0,
    direction: "original",
    ...fields,
  };
}
