import { containsAddress } from "../routing/ip-number.ts";
import type { LinkSnapshot } from "../snapshot.ts";
import type { TraceModel } from "./build-trace-model.ts";
import type { FrameReceiver, FrameStep, LinkRef, ReceiverSearch } from "./frame.ts";

interface Frame {
  readonly steps: readonly FrameStep[];
  readonly mtu: number;
}

/** Finds all links that can receive a frame of a link, over veth pairs, bridges, macvlan links and wires. */
export function findReceivers(model: TraceModel, sender: LinkRef): ReceiverSearch {
  const key = `${sender.namespace} ${sender.link}`;
  const cached = model.receivers.get(key);
  if (cached !== undefined) return cached;
  const search = new FrameFlood(model);
  search.transmit(sender, { steps: [], mtu: Number.MAX_SAFE_INTEGER });
  const result = { receivers: search.receivers, open: [...search.open] };
  model.receivers.set(key, result);
  return result;
}

/** Floods a frame through the links of a model. */
class FrameFlood {
  readonly receivers: FrameReceiver[] = [];
  readonly open = new Set<string>();
  private readonly visited = new Set<string>();
  private readonly model: TraceModel;

  constructor(model: TraceModel) {
    this.model = model;
  }

  /** Sends a frame out by a link. */
  transmit(ref: LinkRef, frame: Frame): void {
    const link = this.findLink(ref);
    if (link?.up !== true || this.visits("out", ref)) return;
    const sent: Frame = { ...frame, steps: [...frame.steps, { kind: "egress", ...ref }] };
    switch (link.kind) {
      case "veth":
        if (link.peer !== undefined && this.findLink(link.peer) !== undefined) this.receive(link.peer, sent);
        else this.passWire(ref, link, sent);
        return;
      case "device":
      case "bond":
      case "team":
        this.passWire(ref, link, sent);
        return;
      case "macvlan":
        this.transmitMacvlan(ref, link, sent);
        return;
      case "bridge":
        this.forward(ref, undefined, sent);
        return;
      case "loopback":
        return;
      default:
        this.open.add(`${ref.namespace}: ${link.name} (${link.kind})`);
    }
  }

  /** Handles a frame that reaches a link from outside. */
  private receive(ref: LinkRef, frame: Frame): void {
    const link = this.findLink(ref);
    if (link?.up !== true || this.visits("in", ref)) return;
    const received: Frame = {
      steps: [...frame.steps, { kind: "ingress", ...ref }],
      mtu: Math.min(frame.mtu, link.mtu),
    };
    for (const child of this.model.listChildren(ref)) this.acceptFrame(child, received);
    const master = link.master === undefined ? undefined : this.findLink({ ...ref, link: link.master });
    if (master?.kind === "bridge") this.forward({ ...ref, link: master.name }, link, received);
    else this.acceptFrame(ref, received);
  }

  /** Sends a frame of a macvlan link to its siblings in bridge mode and out by its parent, but not to the parent itself. */
  private transmitMacvlan(ref: LinkRef, link: LinkSnapshot, frame: Frame): void {
    if (link.parent === undefined) {
      this.open.add(`${ref.namespace}: ${link.name} (its parent is not in the snapshot)`);
      return;
    }
    // The kernel hands frames between siblings to the parent first (macvlan_queue_xmit), so they pass its ingress hook.
    const parentFrame: Frame = { ...frame, steps: [...frame.steps, { kind: "ingress", ...link.parent }] };
    if (link.macvlanMode === "bridge")
      for (const sibling of this.model.listChildren(link.parent))
        if (this.findLink(sibling)?.macvlanMode === "bridge") this.acceptFrame(sibling, parentFrame);
    this.transmit(link.parent, frame);
  }

  private forward(bridge: LinkRef, inPort: LinkSnapshot | undefined, frame: Frame): void {
    const ports = this.model.findNamespace(bridge.namespace)?.state.snapshot.links ?? [];
    const addBridgeStep = (outPort: string | undefined): Frame => ({
      ...frame,
      steps: [
        ...frame.steps,
        { kind: "bridge", namespace: bridge.namespace, bridge: bridge.link, inPort: inPort?.name, outPort },
      ],
    });
    if (inPort !== undefined) {
      if (!isForwarding(inPort)) return;
      for (const child of this.model.listChildren(bridge)) this.acceptFrame(child, addBridgeStep(undefined));
      this.acceptFrame(bridge, addBridgeStep(undefined));
    }
    for (const port of ports) {
      if (port.master !== bridge.link || !isForwarding(port)) continue;
      if (port.name === inPort?.name && port.bridgePort?.hairpin !== true) continue;
      if (port.bridgePort?.isolated === true && inPort?.bridgePort?.isolated === true) continue;
      const crossed = addBridgeStep(port.name);
      this.transmit({ ...bridge, link: port.name }, { ...crossed, mtu: Math.min(crossed.mtu, port.mtu) });
    }
  }

  /** Sends a frame over a wire that is not in the snapshot, to uplinks with an address of the same network. */
  private passWire(ref: LinkRef, link: LinkSnapshot, frame: Frame): void {
    this.open.add(`${ref.namespace}: ${link.name} (${link.kind})`);
    for (const uplink of this.model.uplinks) {
      if (uplink.namespace === ref.namespace && uplink.link === ref.link) continue;
      if (this.shareNetwork(ref, uplink)) this.receive(uplink, frame);
    }
  }

  private shareNetwork(link: LinkRef, otherLink: LinkRef): boolean {
    const otherNetworks = this.listNetworks(otherLink);
    return this.listNetworks(link).some(({ network, address }) =>
      otherNetworks.some((entry) => containsAddress(network, entry.address) && containsAddress(entry.network, address)),
    );
  }

  /** Lists the networks of a link, of its bridge and of its macvlan children. */
  private listNetworks(ref: LinkRef): readonly { readonly network: string; readonly address: string }[] {
    const master = this.findLink(ref)?.master;
    const links = [ref, ...(master === undefined ? [] : [{ ...ref, link: master }]), ...this.model.listChildren(ref)];
    return links.flatMap(({ namespace, link }) =>
      (this.model.findNamespace(namespace)?.state.addresses ?? [])
        .filter((address) => address.link === link && address.scope === "global")
        .map(({ address, prefixLength }) => ({ network: `${address}/${prefixLength}`, address })),
    );
  }

  private acceptFrame(ref: LinkRef, frame: Frame): void {
    const link = this.findLink(ref);
    if (link?.up !== true || this.visits("accept", ref)) return;
    const ports = link.kind === "bridge" ? (this.model.findNamespace(ref.namespace)?.state.snapshot.links ?? []) : [];
    const macs = [link, ...ports.filter(({ master }) => master === link.name)].map(({ mac }) => mac);
    const last = frame.steps.at(-1);
    const ingress: readonly FrameStep[] =
      last?.kind === "ingress" && last.namespace === ref.namespace && last.link === ref.link
        ? []
        : [{ kind: "ingress", ...ref }];
    this.receivers.push({ ...ref, macs, steps: [...frame.steps, ...ingress], mtu: frame.mtu });
  }

  /** Reports whether the frame has already been at a link, and records it. */
  private visits(step: string, { namespace, link }: LinkRef): boolean {
    const key = `${step} ${namespace} ${link}`;
    if (this.visited.has(key)) return true;
    this.visited.add(key);
    return false;
  }

  private findLink({ namespace, link }: LinkRef): LinkSnapshot | undefined {
    return this.model.findNamespace(namespace)?.state.links.get(link);
  }
}

function isForwarding({ bridgePort }: LinkSnapshot): boolean {
  return bridgePort === undefined || bridgePort.state === "forwarding";
}
