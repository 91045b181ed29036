import type { Packet } from "../packet.ts";
import { hasAddress } from "../routing/namespace-state.ts";
import { answersArp, answersNdp } from "../routing/route-input.ts";
import { selectIpv4Source } from "../routing/select-source.ts";
import type { LinkSnapshot, NeighbourSnapshot } from "../snapshot.ts";
import { losePacket } from "./failure.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import type { FrameReceiver, LinkRef } from "./frame.ts";
import { findReceivers } from "./frame-receivers.ts";
import type { WalkState } from "./walk-state.ts";

const PINNED = new Set(["PERMANENT", "NOARP"]);
/** States in which the kernel sends to the known MAC address and confirms it meanwhile. */
const USABLE = new Set(["REACHABLE", "STALE", "DELAY", "PROBE"]);

/**
 * Finds the link that receives packets to a neighbour: by the pinned or known MAC address, else by the links that answer ARP or
 * neighbour solicitations on the segment.
 *
 * @param address next hop
 * @throws PacketLost if no link answers, or no link has the MAC address
 */
export function resolveNeighbour(
  walk: WalkState,
  namespace: NamespaceModel,
  link: LinkSnapshot,
  address: string,
  packet: Packet,
): FrameReceiver {
  const { id } = namespace.state.snapshot;
  const { receivers, open } = findReceivers(walk.model, { namespace: id, link: link.name });
  const entry = namespace.state.snapshot.neighbours.find(
    (candidate) => candidate.link === link.name && candidate.address === address && !candidate.proxy,
  );
  if (entry?.mac !== undefined && hasState(entry, PINNED)) return selectByMac(walk, id, entry, receivers, open);
  const sendingLink = { namespace: id, link: link.name };
  const learned = findLearned(walk, sendingLink, receivers, address);
  if (learned !== undefined) return learned;
  const sender = selectSender(namespace, link, address, packet);
  const answering = findAnswers(walk, sendingLink, receivers, address, sender);
  const owners = selectOwners(walk, answering, address);
  const duplicate = owners.length > 1 ? owners[walk.choose(owners.map(() => 1 / owners.length))] : undefined;
  if (duplicate !== undefined) {
    walk.note({
      kind: "neighbour",
      text: `${address} dev ${link.name}: ${owners.map((owner) => describeReceiver(walk, owner)).join(" and ")} have this address`,
    });
    walk.learnNeighbour(sendingLink, address, duplicate);
    return duplicate;
  }
  if (
    entry?.mac !== undefined &&
    hasState(entry, USABLE) &&
    !answering.some(({ macs }) => macs.includes(entry.mac ?? ""))
  )
    return selectByMac(walk, id, entry, receivers, open);
  // Several links of one namespace may answer for an address: the link that has it is preferred.
  const answer = owners[0] ?? answering[0];
  if (answer !== undefined) {
    walk.note({ kind: "neighbour", text: `${address} dev ${link.name}: ${describeReceiver(walk, answer)} answers` });
    if (entry?.mac === undefined || !hasState(entry, USABLE)) walk.learnNeighbour(answer, sender, sendingLink);
    return answer;
  }
  // A host that the snapshot does not contain may answer, but not for an address of one that it contains.
  const mayAnswer = !walk.model.addresses.has(address) && entry?.state.includes("FAILED") !== true;
  if (open.length > 0 && mayAnswer)
    throw losePacket("unknown", "outside", id, `the packet leaves the snapshot by ${open.join(", ")} to ${address}`);
  throw losePacket("drop", "no-neighbour", id, `nobody answers for ${address} on ${link.name}`);
}

/** Finds the neighbour whose earlier request for this link's address was recorded; it need not answer itself. */
function findLearned(
  walk: WalkState,
  sendingLink: LinkRef,
  receivers: readonly FrameReceiver[],
  address: string,
): FrameReceiver | undefined {
  const learnedLink = walk.findLearned(sendingLink, address);
  const receiver = receivers.find(
    ({ namespace, link }) => namespace === learnedLink?.namespace && link === learnedLink.link,
  );
  if (receiver !== undefined)
    walk.note({
      kind: "neighbour",
      text: `${address} dev ${sendingLink.link}: known by the request of ${describeReceiver(walk, receiver)}`,
    });
  return receiver;
}

function hasState({ state }: NeighbourSnapshot, states: ReadonlySet<string>): boolean {
  return state.some((name) => states.has(name));
}

function selectByMac(
  walk: WalkState,
  namespace: string,
  { address, link, mac = "", state }: NeighbourSnapshot,
  receivers: readonly FrameReceiver[],
  open: readonly string[],
): FrameReceiver {
  const text = `${address} dev ${link} lladdr ${mac} ${state.join(",")}`;
  walk.note({ kind: "neighbour", text });
  const [receiver] = receivers.filter(({ macs }) => macs.includes(mac));
  if (receiver !== undefined) return receiver;
  // A learned MAC address exists: a host outside the snapshot answered, even if a host in the snapshot has the address as well.
  const isLearned = !state.includes("PERMANENT");
  if (open.length > 0 && (isLearned || !walk.model.addresses.has(address)))
    throw losePacket("unknown", "outside", namespace, `the packet leaves the snapshot by ${open.join(", ")}: ${text}`);
  throw losePacket("drop", "wrong-neighbour", namespace, `no link has the neighbour's MAC address: ${text}`);
}

/** Selects the sender of an ARP request: the packet's source if it is local, else an address of the link (`arp_solicit`, arp_announce 0). */
function selectSender({ state }: NamespaceModel, { name }: LinkSnapshot, address: string, packet: Packet): string {
  if (packet.family === "ipv6" || hasAddress(state, packet.source)) return packet.source;
  return selectIpv4Source(state, name, address, 253) ?? packet.source;
}

function findAnswers(
  walk: WalkState,
  { namespace, link }: LinkRef,
  receivers: readonly FrameReceiver[],
  target: string,
  sender: string,
): readonly FrameReceiver[] {
  const key = `${namespace} ${link} ${target} ${sender}`;
  const cached = walk.model.answers.get(key);
  if (cached !== undefined) return cached;
  const answering = receivers.filter((receiver) => answersFor(walk, receiver, target, sender));
  walk.model.answers.set(key, answering);
  return answering;
}

function answersFor(walk: WalkState, { namespace, link }: FrameReceiver, target: string, sender: string): boolean {
  const { state } = walk.getNamespace(namespace);
  return target.includes(":") ? answersNdp(state, link, target) : answersArp(state, link, target, sender);
}

/** Selects the receivers whose link has the address, one per namespace; more than one if the address is used twice. */
function selectOwners(walk: WalkState, answering: readonly FrameReceiver[], address: string): readonly FrameReceiver[] {
  const owners = answering.filter(({ namespace, link }) =>
    walk.getNamespace(namespace).state.addresses.some((entry) => entry.address === address && entry.link === link),
  );
  return owners.filter((owner, index) => owners.findIndex(({ namespace }) => namespace === owner.namespace) === index);
}

function describeReceiver(walk: WalkState, { namespace, link }: FrameReceiver): string {
  return `${link} of ${walk.getNamespace(namespace).state.snapshot.name}`;
}
