import { losePacket } from "./failure.ts";
import { type Delivery, receivePacket } from "./receive-packet.ts";
import { sendPacket } from "./send-packet.ts";
import { type Arrival, transmitFrame, type Transmission } from "./transmit.ts";
import { decapsulatePacket, encapsulatePacket } from "./tunnel.ts";
import type { WalkState } from "./walk-state.ts";

/** Greatest number of hops: more than a packet passes without a loop. */
const MOST_HOPS = 64;

/**
 * Follows a packet from a link to the namespace that receives it.
 *
 * @throws PacketLost
 */
export function walkPacket(walk: WalkState, start: Transmission): Delivery {
  let next = start;
  for (let hop = 0; hop < MOST_HOPS; hop += 1) {
    const step = receivePacket(walk, carryPacket(walk, next));
    if (step.kind === "delivery") return step;
    next = step;
  }
  const { id } = next.namespace.state.snapshot;
  throw losePacket("drop", "loop", id, `the packet passed ${MOST_HOPS} namespaces without being delivered`);
}

function carryPacket(walk: WalkState, transmission: Transmission): Arrival {
  const { namespace } = transmission;
  const link = namespace.state.links.get(transmission.link);
  if (link?.kind !== "vxlan") return transmitFrame(walk, transmission);
  if (!link.up) throw losePacket("drop", "link-down", namespace.state.snapshot.id, `${link.name} is down`);
  const encapsulation = encapsulatePacket(walk, transmission, link);
  walk.enterTunnel(encapsulation.inner);
  const outer = sendPacket(walk, namespace, encapsulation.outer, {
    source: encapsulation.source,
    link: encapsulation.link,
  });
  const received = walkPacket(walk, outer);
  const { link: inLink, packet } = decapsulatePacket(walk, received.namespace, encapsulation, received.packet);
  walk.leaveTunnel();
  return { namespace: received.namespace, link: inLink, packet };
}
