import type { Packet } from "../packet.ts";
import { routeInput } from "../routing/route-input.ts";
import { losePacket } from "./failure.ts";
import { runHook } from "./run-hook.ts";
import { chooseNexthop, noteRoute, passPostrouting, fragmentPacket } from "./send-packet.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import type { Arrival, Transmission } from "./transmit.ts";
import type { WalkState } from "./walk-state.ts";

/** A packet that reached its namespace. */
export interface Delivery {
  readonly kind: "delivery";
  readonly namespace: NamespaceModel;
  readonly packet: Packet;
}

/**
 * Receives a packet: hook prerouting, route, and then the hooks input, or forward and postrouting.
 *
 * @throws PacketLost
 */
export function receivePacket(
  walk: WalkState,
  arrival: Arrival,
): Delivery | ({ readonly kind: "transmission" } & Transmission) {
  const { namespace, link, isPrerouted } = arrival;
  walk.startHop(namespace, link, arrival.packet);
  const arrived: Packet = { ...arrival.packet, inLink: link, outLink: undefined };
  const packet = isPrerouted === true ? arrived : runHook(walk, namespace, "prerouting", arrived);
  const decision = routeInput(namespace.state, packet, link);
  const { id } = namespace.state.snapshot;
  if (decision.kind === "refuse") throw losePacket(decision.verdict, decision.failure, id, decision.text);
  const { result } = decision;
  if (decision.kind === "deliver") {
    noteRoute(walk, result, undefined);
    const delivered = runHook(walk, namespace, "input", packet);
    walk.note({ kind: "deliver", text: `delivered to ${delivered.destination}` });
    walk.record(delivered);
    return { kind: "delivery", namespace, packet: delivered };
  }
  if (packet.ttl <= 1) throw losePacket("reject", "ttl", id, "the TTL is used up");
  const nexthop = chooseNexthop(walk, result);
  noteRoute(walk, result, nexthop);
  const forwarded: Packet = { ...packet, ttl: packet.ttl - 1, outLink: nexthop?.link };
  const passed = runHook(walk, namespace, "forward", fragmentPacket(namespace, forwarded, result));
  return { kind: "transmission", ...passPostrouting(walk, namespace, { packet: passed, nexthop }) };
}
