import type { SetElement } from "../hook.ts";
import type { Packet, Tuple } from "../packet.ts";
import { readSysctl } from "../routing/namespace-state.ts";
import type { FramePass, TraceHop, TraceEvent } from "../trace.ts";
import type { Connection, ConntrackTable } from "./conntrack-table.ts";
import { losePacket } from "./failure.ts";
import type { LinkRef } from "./frame.ts";
import type { NamespaceModel, TraceModel } from "./build-trace-model.ts";

/** Chooses one of several random results. @returns its index in the probabilities */
export type Choose = (probabilities: readonly number[]) => number;

type Draft = { -readonly [Key in keyof TraceHop]: TraceHop[Key] } & {
  readonly events: TraceEvent[];
  readonly passes: FramePass[];
};

/** State of one trace: the state that namespaces keep between packets, and the record of the current packet. */
export class WalkState {
  readonly model: TraceModel;
  readonly choose: Choose;
  /** Connection of the packet in its current namespace. */
  connection: Connection | undefined;
  private readonly tables = new Map<string, ConntrackTable>();
  private readonly elements = new Set<string>();
  /** Links of neighbours, by their address and the link that received their ARP request or neighbour solicitation. */
  private readonly learned = new Map<string, LinkRef>();
  private hops: Draft[] = [];
  /** Events of frame hooks between two hops, recorded with the next hop. */
  private pending: TraceEvent[] = [];
  /** Inner packets of the current tunnels, that of the outermost tunnel last. */
  private readonly inner: Packet[] = [];

  constructor(model: TraceModel, choose: Choose) {
    this.model = model;
    this.choose = choose;
  }

  /** @throws PacketLost if the snapshot does not contain the namespace */
  getNamespace(id: string): NamespaceModel {
    const namespace = this.model.findNamespace(id);
    if (namespace !== undefined) return namespace;
    throw losePacket("unknown", "outside", id, `the snapshot does not contain the network namespace ${id}`);
  }

  getConntrack(namespace: NamespaceModel): ConntrackTable {
    const { id } = namespace.state.snapshot;
    const existing = this.tables.get(id);
    if (existing !== undefined) return existing;
    const table = {
      connections: [],
      loose: readSysctl(namespace.state, "net/netfilter/nf_conntrack_tcp_loose", 1) !== 0,
    };
    this.tables.set(id, table);
    return table;
  }

  addElement(namespace: string, { set, key }: SetElement): void {
    this.elements.add(`${namespace} ${set} ${key}`);
  }

  hasElement(namespace: string, { set, key }: SetElement): boolean {
    return this.elements.has(`${namespace} ${set} ${key}`);
  }

  /** Records that the receiver of a request for its own address learns the sender's MAC address (`neigh_event_ns`). */
  learnNeighbour(receiver: LinkRef, address: string, sender: LinkRef): void {
    this.learned.set(`${receiver.namespace} ${receiver.link} ${address}`, sender);
  }

  /** Returns the link of a neighbour that this link has learned during this trace. */
  findLearned({ namespace, link }: LinkRef, address: string): LinkRef | undefined {
    return this.learned.get(`${namespace} ${link} ${address}`);
  }

  /** Starts the record of a packet's path through a namespace. */
  startHop(namespace: NamespaceModel, inLink: string | undefined, packet: Packet): void {
    const { id, kind, name } = namespace.state.snapshot;
    const [innermost] = this.inner;
    const before = getTuple(innermost ?? packet);
    this.hops.push({
      namespace: { id, kind, name },
      inLink,
      outLink: undefined,
      before,
      after: before,
      conntrackState: packet.conntrackState,
      mark: packet.mark,
      ...(innermost === undefined ? {} : { outer: getTuple(packet) }),
      passes: [],
      events: this.pending,
    });
    this.pending = [];
  }

  /** Records the packet as its socket sends it, once its source is known. */
  recordSent(packet: Packet): void {
    const hop = this.hops.at(-1);
    if (hop !== undefined && this.inner.length === 0) hop.before = getTuple(packet);
  }

  note(event: TraceEvent): void {
    this.hops.at(-1)?.events.push(event);
  }

  /** Records a link that the frame passes on its way to the next hop. */
  notePass({ state }: NamespaceModel, link: string, direction: FramePass["direction"]): void {
    const { id, kind, name } = state.snapshot;
    this.hops.at(-1)?.passes.push({ namespace: { id, kind, name }, link, direction });
  }

  /** Records an event of a frame between two hops. */
  noteBetween(event: TraceEvent): void {
    this.pending.push(event);
  }

  /** Records the packet as it is now. */
  record(packet: Packet, outLink?: string): void {
    const hop = this.hops.at(-1);
    if (hop === undefined) return;
    const [innermost] = this.inner;
    hop.after = getTuple(innermost ?? packet);
    if (innermost !== undefined) hop.outer = getTuple(packet);
    hop.conntrackState = packet.conntrackState;
    hop.mark = packet.mark;
    hop.outLink = outLink;
  }

  enterTunnel(inner: Packet): void {
    this.inner.push(inner);
  }

  leaveTunnel(): void {
    this.inner.pop();
  }

  /** Returns the hops of the finished packet, and starts the record of the next one. */
  takeHops(): readonly TraceHop[] {
    const { hops, pending } = this;
    hops.at(-1)?.events.push(...pending);
    this.hops = [];
    this.pending = [];
    this.inner.length = 0;
    this.connection = undefined;
    return hops;
  }
}

/** Returns addresses and ports of a packet. */
export function getTuple({ source, destination, sourcePort, destinationPort }: Tuple): Tuple {
  return { source, destination, sourcePort, destinationPort };
}
