import type { Packet } from "../packet.ts";
import { getTextFamily } from "../routing/ip-number.ts";
import type { LinkSnapshot } from "../snapshot.ts";
import { losePacket } from "./failure.ts";
import { formatEndpoint } from "./run-hook.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import { forgetConnection, requireKnown, type Transmission } from "./transmit.ts";
import type { WalkState } from "./walk-state.ts";

/** Bytes that VXLAN adds: IP, UDP and VXLAN headers and the inner Ethernet header. */
const OVERHEAD = { ipv4: 50, ipv6: 70 } as const;
/** The kernel derives the port from a hash of the inner packet; no rule in use depends on it. */
const OUTER_SOURCE_PORT = 49152;
const OUTER_TTL = 64;

/** An inner packet with its outer packet. */
export interface Encapsulation {
  readonly vni: number;
  readonly innerMac: string;
  readonly inner: Packet;
  readonly outer: Packet;
  /** The tunnel's underlay link, if it is bound to one. */
  readonly link: string | undefined;
  /** Source address of the outer packet; undefined if the route selects it. */
  readonly source: string | undefined;
}

/**
 * Wraps a packet that leaves by a VXLAN link: neighbour entry, then fdb entry, then the outer packet.
 *
 * @throws PacketLost without these entries
 */
export function encapsulatePacket(
  walk: WalkState,
  { namespace, neighbour, packet }: Transmission,
  link: LinkSnapshot,
): Encapsulation {
  const { id } = namespace.state.snapshot;
  const { vxlan } = link;
  requireKnown(namespace, link);
  if (vxlan === undefined) throw losePacket("unknown", "not-modelled", id, `${link.name} has no VXLAN parameters`);
  walk.record(packet, link.name);
  const innerMac = findMac(namespace, link, neighbour);
  const remote = findRemote(namespace, link, innerMac);
  const family = getTextFamily(remote);
  const outer: Packet = {
    ...forgetConnection(walk, packet),
    family,
    protocol: "udp",
    source: vxlan.local ?? "",
    destination: remote,
    sourcePort: OUTER_SOURCE_PORT,
    destinationPort: vxlan.port,
    tcpFlags: undefined,
    icmpType: undefined,
    icmpCode: undefined,
    length: packet.length + OVERHEAD[family],
    dontFragment: false,
    ttl: OUTER_TTL,
  };
  walk.note({
    kind: "encapsulate",
    text: `VXLAN ${vxlan.id} by ${link.name}: ${neighbour} lladdr ${innerMac}, fdb dst ${remote}`,
  });
  return { vni: vxlan.id, innerMac, inner: packet, outer, link: vxlan.link, source: vxlan.local };
}

function findMac({ state }: NamespaceModel, { name }: LinkSnapshot, neighbour: string): string {
  const entry = state.snapshot.neighbours.find(
    (neighbourEntry) => neighbourEntry.link === name && neighbourEntry.address === neighbour,
  );
  if (entry?.mac !== undefined && !entry.state.includes("FAILED")) return entry.mac;
  throw losePacket("drop", "no-tunnel-entry", state.snapshot.id, `${name} has no neighbour entry for ${neighbour}`);
}

function findRemote({ state }: NamespaceModel, { name, vxlan }: LinkSnapshot, mac: string): string {
  const entry = state.snapshot.fdb.find(
    (fdbEntry) => fdbEntry.link === name && fdbEntry.mac === mac && fdbEntry.destination !== undefined,
  );
  const remote = entry?.destination ?? vxlan?.remote;
  if (remote !== undefined) return remote;
  throw losePacket("drop", "no-tunnel-entry", state.snapshot.id, `${name} has no fdb entry for ${mac}`);
}

/**
 * Unwraps a tunnel's packet that a namespace received.
 *
 * @returns the VXLAN link and the inner packet that arrives by it, with the outer packet's mark
 * @throws PacketLost if no link has this VNI and MAC address
 */
export function decapsulatePacket(
  walk: WalkState,
  namespace: NamespaceModel,
  { vni, innerMac, inner, outer }: Encapsulation,
  received: Packet,
): { readonly link: string; readonly packet: Packet } {
  const { id, links } = namespace.state.snapshot;
  const link = links.find(
    ({ vxlan, up }) => up && vxlan?.id === vni && vxlan.port === outer.destinationPort && isFor(vxlan.local, received),
  );
  const where = `${formatEndpoint(received.destination, received.destinationPort)} in ${namespace.state.snapshot.name}`;
  if (link === undefined)
    throw losePacket("drop", "no-tunnel-entry", id, `no VXLAN link receives VNI ${vni} on ${where}`);
  requireKnown(namespace, link);
  if (link.mac !== innerMac)
    throw losePacket(
      "drop",
      "wrong-neighbour",
      id,
      `${link.name} has the MAC address ${link.mac}, the frame is for ${innerMac}`,
    );
  walk.note({ kind: "decapsulate", text: `VXLAN ${vni} on ${link.name}` });
  return { link: link.name, packet: { ...forgetConnection(walk, inner), mark: received.mark } };
}

function isFor(local: string | undefined, { destination }: Packet): boolean {
  return local === undefined || local === destination || local === "0.0.0.0" || local === "::";
}
