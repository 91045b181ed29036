import { RANDOM_PORT } from "../chosen-port.ts";
import type { Hook } from "../hook.ts";
import type { Packet, Translation } from "../packet.ts";
import type { NamespaceState } from "../routing/namespace-state.ts";
import { selectIpv4Source, selectIpv6Source } from "../routing/select-source.ts";
import type { TranslatedEndpoint, Manipulation } from "./conntrack-table.ts";

/** Kind of address that the nat chains of a hook change; undefined for other hooks. */
export function getManipulation(hook: Hook): Manipulation | undefined {
  switch (hook) {
    case "prerouting":
    case "output":
      return "destination";
    case "input":
    case "postrouting":
      return "source";
    default:
      return undefined;
  }
}

/**
 * Computes the address and port of a rule's translation. A random port is {@link RANDOM_PORT}.
 *
 * @param gateway next hop of the packet's route, for masquerade
 * @returns undefined if the namespace has no address for it: the kernel then drops the packet
 */
export function selectEndpoint(
  state: NamespaceState,
  hook: Hook,
  packet: Packet,
  translation: Translation,
  gateway: string | undefined,
): TranslatedEndpoint | undefined {
  switch (translation.kind) {
    case "dnat":
      return {
        address: translation.addresses?.[0] ?? packet.destination,
        port: selectPort(packet.destinationPort, translation.ports),
      };
    case "snat":
      return {
        address: translation.addresses?.[0] ?? packet.source,
        port: selectSourcePort(packet, translation),
      };
    case "masquerade": {
      const address =
        packet.family === "ipv4"
          ? selectIpv4Source(state, packet.outLink, gateway ?? packet.destination, 0)
          : selectIpv6Source(state, packet.outLink, packet.destination);
      return address === undefined ? undefined : { address, port: selectSourcePort(packet, translation) };
    }
    case "redirect": {
      const address =
        hook === "output"
          ? { ipv4: "127.0.0.1", ipv6: "::1" }[packet.family]
          : state.addresses.find(
              (entry) => entry.family === packet.family && entry.link === packet.inLink && entry.scope === "global",
            )?.address;
      return address === undefined
        ? undefined
        : { address, port: selectPort(packet.destinationPort, translation.ports) };
    }
  }
}

function selectSourcePort(
  { protocol, sourcePort }: Packet,
  { ports, isPortRandom }: Pick<Extract<Translation, { readonly isPortRandom?: true }>, "ports" | "isPortRandom">,
): number {
  if (isPortRandom === true && ports === undefined && protocol !== "icmp") return RANDOM_PORT;
  return selectPort(sourcePort, ports);
}

function selectPort(port: number, range: readonly [number, number] | undefined): number {
  return range === undefined || (port >= range[0] && port <= range[1]) ? port : range[0];
}
