import type { Hook } from "../hook.ts";
import type { Packet } from "../packet.ts";
import { readSysctl } from "../routing/namespace-state.ts";
import type { LinkSnapshot } from "../snapshot.ts";
import { losePacket } from "./failure.ts";
import type { FrameReceiver, FrameStep } from "./frame.ts";
import { resolveNeighbour } from "./resolve-neighbour.ts";
import { runFrameHook, runHook } from "./run-hook.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import type { WalkState } from "./walk-state.ts";

/** A packet that a namespace hands to a link. */
export interface Transmission {
  readonly namespace: NamespaceModel;
  readonly link: string;
  /** Next hop; the destination itself on a connected network. */
  readonly neighbour: string;
  readonly packet: Packet;
}

/** A packet that reaches a namespace by a link. */
export interface Arrival {
  readonly namespace: NamespaceModel;
  readonly link: string;
  readonly packet: Packet;
  /** Set if a bridge has already run hook prerouting of this namespace, which is not run again then. */
  readonly isPrerouted?: true;
}

/**
 * Carries a packet over veth pairs, bridges, macvlan links and wires to the next namespace.
 *
 * @throws PacketLost
 */
export function transmitFrame(walk: WalkState, { namespace, link: name, neighbour, packet }: Transmission): Arrival {
  const link = getLink(namespace, name);
  walk.record(packet, name);
  // A packet to itself keeps its mark and connection (loopback_xmit).
  if (link.kind === "loopback") return { namespace, link: name, packet };
  requireKnown(namespace, link);
  const receiver = resolveNeighbour(walk, namespace, link, neighbour, packet);
  // Segments that the sender offloads pass links with any MTU (is_skb_forwardable).
  if (packet.protocol !== "tcp" && packet.length > receiver.mtu)
    throw losePacket(
      "drop",
      "mtu",
      receiver.namespace,
      `${packet.length} bytes do not fit the MTU ${receiver.mtu} on the way to ${receiver.link}`,
    );
  const arrived = passSteps(walk, namespace, receiver, packet);
  const arrival = { namespace: walk.getNamespace(receiver.namespace), link: receiver.link, packet: arrived };
  const isPrerouted = receiver.steps.some((step) => runsPrerouting(walk, receiver, step, packet));
  return isPrerouted ? { ...arrival, isPrerouted } : arrival;
}

/** Returns a link that is up. @throws PacketLost if the link does not exist or is down */
function getLink(namespace: NamespaceModel, name: string): LinkSnapshot {
  const { id } = namespace.state.snapshot;
  const link = namespace.state.links.get(name);
  if (link === undefined) throw losePacket("unknown", "not-modelled", id, `the snapshot has no link ${name}`);
  if (!link.up || !link.carrier) throw losePacket("drop", "link-down", id, `${name} is down`);
  return link;
}

/** Requires that no eBPF program or queueing discipline affects a link's packets. @throws PacketLost otherwise */
export function requireKnown(namespace: NamespaceModel, { name, programs }: LinkSnapshot): void {
  if (programs.length === 0) return;
  const { id } = namespace.state.snapshot;
  throw losePacket("unknown", "not-modelled", id, `${programs.join(", ")} on ${name} decides about its packets`);
}

/** Runs the frame hooks on the way. A packet that changes namespaces loses mark and connection (skb_scrub_packet). */
function passSteps(walk: WalkState, from: NamespaceModel, receiver: FrameReceiver, sent: Packet): Packet {
  const { namespace, steps } = receiver;
  const { id } = from.state.snapshot;
  let packet = forgetConnection(walk, sent);
  let current = id;
  for (const [index, step] of steps.entries()) {
    // The first step is the sending link, the last one the receiving link.
    if (step.kind !== "bridge" && index > 0 && index < steps.length - 1)
      walk.notePass(walk.getNamespace(step.namespace), step.link, step.kind === "ingress" ? "in" : "out");
    if (step.namespace !== current) packet = { ...packet, mark: 0 };
    current = step.namespace;
    packet = passStep(walk, step, packet);
    if (step.kind === "bridge" && !runsPrerouting(walk, receiver, step, packet))
      packet = forgetConnection(walk, packet);
  }
  return namespace === current ? packet : { ...packet, mark: 0 };
}

const NO_LINKS = { inLink: undefined, outLink: undefined, inPort: undefined, outPort: undefined } as const;

/** Returns the packet without conntrack data and links, as a namespace first sees it. */
export function forgetConnection(walk: WalkState, packet: Packet): Packet {
  walk.connection = undefined;
  return {
    ...packet,
    ...NO_LINKS,
    originalTuple: undefined,
    conntrackState: undefined,
    conntrackStatus: { dnat: false, snat: false },
    conntrackZone: 0,
    connmark: 0,
    direction: "original",
  };
}

function passStep(walk: WalkState, step: FrameStep, packet: Packet): Packet {
  const namespace = walk.getNamespace(step.namespace);
  if (step.kind === "bridge") return crossBridge(walk, namespace, step, packet);
  const link = namespace.state.links.get(step.link);
  if (link !== undefined) requireKnown(namespace, link);
  if (!namespace.filtersFrames) return packet;
  const seen: Packet = step.kind === "ingress" ? { ...packet, inLink: step.link } : { ...packet, outLink: step.link };
  return { ...runFrameHook(walk, namespace, step.kind, seen), ...NO_LINKS };
}

/** Reports whether iptables filters a bridge's frames of this family. */
function isFilteredAsIp({ state }: NamespaceModel, { family }: Packet): boolean {
  return readSysctl(state, `net/bridge/bridge-nf-call-${family === "ipv4" ? "iptables" : "ip6tables"}`) !== 0;
}

/**
 * Reports whether a bridge runs hook prerouting for a frame to its own link: the IP layer then skips that hook and keeps
 * mark and connection (ip_sabotage_in in net/bridge/br_netfilter_hooks.c).
 */
function runsPrerouting(walk: WalkState, receiver: FrameReceiver, step: FrameStep, packet: Packet): boolean {
  return (
    step.kind === "bridge" &&
    step.namespace === receiver.namespace &&
    step.bridge === receiver.link &&
    step.inPort !== undefined &&
    step.outPort === undefined &&
    isFilteredAsIp(walk.getNamespace(step.namespace), packet)
  );
}

function crossBridge(
  walk: WalkState,
  namespace: NamespaceModel,
  { bridge, inPort, outPort }: Extract<FrameStep, { readonly kind: "bridge" }>,
  packet: Packet,
): Packet {
  const filtersAsIp = inPort !== undefined && isFilteredAsIp(namespace, packet);
  if (!namespace.filtersFrames && !filtersAsIp) return packet;
  walk.startHop(namespace, inPort, packet);
  walk.note({ kind: "bridge", text: `bridge ${bridge}: ${inPort ?? bridge} -> ${outPort ?? bridge}` });
  let seen: Packet = { ...packet, inLink: inPort, inPort };
  const runBridgeHook = (hook: Hook): void => {
    seen = runHook(walk, namespace, hook, seen);
  };
  /** iptables sees the bridge as the link, the ports as physdev. */
  const runIpHook = (hook: Hook): void => {
    if (!filtersAsIp) return;
    const { inLink, outLink } = seen;
    seen = { ...seen, inLink: bridge, outLink: outPort === undefined ? undefined : bridge };
    runBridgeHook(hook);
    seen = { ...seen, inLink, outLink };
  };
  if (inPort !== undefined) {
    runBridgeHook("bridge-prerouting");
    runIpHook("prerouting");
  }
  if (outPort === undefined) runBridgeHook("bridge-input");
  else {
    seen = { ...seen, outLink: outPort, outPort };
    runBridgeHook(inPort === undefined ? "bridge-output" : "bridge-forward");
    if (inPort !== undefined) runIpHook("forward");
    runBridgeHook("bridge-postrouting");
    if (inPort !== undefined) runIpHook("postrouting");
  }
  walk.record(seen, outPort);
  return { ...seen, ...NO_LINKS };
}
