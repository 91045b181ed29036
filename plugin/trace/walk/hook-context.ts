import type { AddressType, FibQuery, Hook, HookContext, SetElement } from "../hook.ts";
import type { Packet, Translation } from "../packet.ts";
import { findAddressType, findRouteLink } from "../routing/address-type.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import { applyTranslation, describeStatus, trackPacket, writeEndpoint } from "./conntrack-table.ts";
import { losePacket } from "./failure.ts";
import { getManipulation, selectEndpoint } from "./translate.ts";
import type { WalkState } from "./walk-state.ts";

/** Answers the queries of a namespace's rules during one walk. It is a class for speed: a connection runs about forty hooks. */
export class NamespaceHookContext implements HookContext {
  private readonly walk: WalkState;
  private readonly namespace: NamespaceModel;
  /** Next hop of the packet's route, for masquerade. */
  private readonly gateway: string | undefined;

  constructor(walk: WalkState, namespace: NamespaceModel, gateway: string | undefined) {
    this.walk = walk;
    this.namespace = namespace;
    this.gateway = gateway;
  }

  findAddressType(query: FibQuery): AddressType {
    return findAddressType(this.namespace.state, query);
  }

  findRouteLink(query: FibQuery): string | undefined {
    return findRouteLink(this.namespace.state, query);
  }

  findLinkKind(link: string): string | undefined {
    return this.namespace.state.links.get(link)?.kind;
  }

  addElement(element: SetElement): void {
    this.walk.addElement(this.namespace.state.snapshot.id, element);
  }

  hasAddedElement(element: SetElement): boolean {
    return this.walk.hasElement(this.namespace.state.snapshot.id, element);
  }

  track(packet: Packet): Packet {
    if (packet.conntrackState !== undefined) return packet;
    const { packet: tracked, connection } = trackPacket(this.walk.getConntrack(this.namespace), packet);
    this.walk.connection = connection;
    return tracked;
  }

  needsTranslation(packet: Packet, hook: Hook): boolean {
    const { connection } = this.walk;
    const manipulation = getManipulation(hook);
    return (
      connection !== undefined &&
      manipulation !== undefined &&
      packet.direction === "original" &&
      packet.conntrackState === "new" &&
      connection[manipulation] === undefined
    );
  }

  /** Translates only the packet: `runHook` stores the translation of the chosen branch in the connection. */
  translate(packet: Packet, hook: Hook, translation: Translation | undefined): Packet {
    const { connection } = this.walk;
    const manipulation = getManipulation(hook);
    if (manipulation === undefined || connection === undefined) return packet;
    if (translation === undefined || connection[manipulation] !== undefined)
      return applyTranslation(packet, connection, manipulation);
    const { state } = this.namespace;
    const endpoint = selectEndpoint(state, hook, packet, translation, this.gateway);
    if (endpoint === undefined)
      throw losePacket(
        "drop",
        "no-source-address",
        state.snapshot.id,
        `${translation.kind} needs an address of ${packet.outLink ?? packet.inLink ?? "the link"}, which has none`,
        { hook },
      );
    const status = describeStatus(connection);
    return {
      ...writeEndpoint(packet, manipulation, endpoint),
      conntrackStatus: manipulation === "destination" ? { ...status, dnat: true } : { ...status, snat: true },
    };
  }
}
