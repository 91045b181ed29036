import type { Packet, Tuple } from "../packet.ts";
import { readSysctl } from "../routing/namespace-state.ts";
import type { ListenerSnapshot } from "../snapshot.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import { losePacket } from "./failure.ts";
import type { Delivery } from "./receive-packet.ts";
import { formatEndpoint } from "./run-hook.ts";

/**
 * Requires that a socket, or the kernel itself for ICMP, answers a delivered request.
 *
 * @throws PacketLost with kind `no-listener`
 */
export function requireListener({ namespace, packet }: Delivery): void {
  const { snapshot } = namespace.state;
  if (packet.protocol === "icmp") {
    const sysctl = packet.family === "ipv4" ? "net/ipv4/icmp_echo_ignore_all" : "net/ipv6/icmp/echo_ignore_all";
    if (readSysctl(namespace.state, sysctl) === 0) return;
    throw losePacket("drop", "no-listener", snapshot.id, `${sysctl.replaceAll("/", ".")} is 1`);
  }
  if (snapshot.listeners === null || snapshot.listeners.some((listener) => isListening(listener, packet))) return;
  const where = formatEndpoint(packet.destination, packet.destinationPort);
  throw losePacket("reject", "no-listener", snapshot.id, `no ${packet.protocol} socket listens on ${where}`);
}

function isListening({ protocol, family, address, port }: ListenerSnapshot, packet: Packet): boolean {
  if (protocol !== packet.protocol || port !== packet.destinationPort) return false;
  return address === packet.destination || address === "::" || (address === "0.0.0.0" && family === packet.family);
}

/**
 * Requires that a reply reaches the client with the addresses and ports that its socket expects.
 *
 * @param sent Addresses and ports of the request as the client sent it.
 * @throws PacketLost with kind `wrong-reply`
 */
export function requireClient(client: NamespaceModel, sent: Tuple, { namespace, packet }: Delivery): void {
  const expected = { source: sent.destination, destination: sent.source, sourcePort: sent.destinationPort };
  const arrived = namespace === client && packet.destination === expected.destination;
  if (arrived && packet.source === expected.source && packet.sourcePort === expected.sourcePort) return;
  const { id, name } = namespace.state.snapshot;
  const from = formatEndpoint(packet.source, packet.sourcePort);
  const expectedSource = formatEndpoint(expected.source, expected.sourcePort);
  throw losePacket(
    "drop",
    "wrong-reply",
    id,
    arrived
      ? `the client expects an answer from ${expectedSource}, not from ${from}`
      : `the answer to ${expected.destination} reached ${packet.destination} in ${name}`,
  );
}

/**
 * Requires that a later packet of a connection reaches the server that received the first one.
 *
 * @throws PacketLost with kind `wrong-reply`
 */
export function requireServer(first: Delivery, { namespace, packet }: Delivery): void {
  if (namespace === first.namespace && packet.destination === first.packet.destination) return;
  throw losePacket(
    "drop",
    "wrong-reply",
    namespace.state.snapshot.id,
    `the connection's packet reached ${packet.destination} in ${namespace.state.snapshot.name}, which does not know it`,
  );
}
