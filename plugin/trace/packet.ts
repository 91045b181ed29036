import type { Family } from "../datapath/address.ts";

export type PacketProtocol = "tcp" | "udp" | "icmp";
export type TcpFlag = "syn" | "ack" | "fin" | "rst" | "psh" | "urg";
type ConntrackState = "new" | "established" | "related" | "invalid" | "untracked";

/** Addresses and ports of one direction of a connection. Ports are 0 for ICMP. */
export interface Tuple {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A packet as one hook of one network namespace sees it. Immutable: evaluation returns a new one. */
export interface Packet extends Tuple {
  readonly family: Family;
  /** `icmp` is ICMPv6 in an IPv6 packet. */
  readonly protocol: PacketProtocol;
  readonly tcpFlags?: readonly TcpFlag[] | undefined;
  readonly icmpType?: number | undefined;
  readonly icmpCode?: number | undefined;
  /** Length in bytes with the IP header. */
  readonly length: number;
  readonly dontFragment: boolean;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly mark: number;
  /** Mark of the connection's conntrack entry. */
  readonly connmark: number;
  /** Undefined before conntrack sees the packet (priority -200); `untracked` after a notrack rule. */
  readonly conntrackState: ConntrackState | undefined;
  /** Translations of the connection: IPS_DST_NAT, IPS_SRC_NAT. */
  readonly conntrackStatus: { readonly dnat: boolean; readonly snat: boolean };
  readonly conntrackZone: number;
  /** Tuple of the connection's first packet before translation (`ct original`, `--ctorigdst`); undefined if untracked or invalid. */
  readonly originalTuple?: Tuple | undefined;
  /** Direction within the connection (`ct direction`, `--ctdir`). */
  readonly direction: "original" | "reply";
  readonly inLink?: string | undefined;
  readonly outLink?: string | undefined;
  /** Port of a bridge that the packet entered or leaves by (`physdev`, and hooks of family bridge). */
  readonly inPort?: string | undefined;
  readonly outPort?: string | undefined;
  readonly sourceMac?: string | undefined;
  readonly destinationMac?: string | undefined;
}

/** Translation that a rule of a nat chain requests. The walk selects addresses and ports and writes them into the packet. */
export type Translation =
  | {
      readonly kind: "dnat" | "snat";
      /** First and last address; absent if only the port changes. */
      readonly addresses?: readonly [string, string];
      /** First and last port. */
      readonly ports?: readonly [number, number];
      /** Set if the kernel chooses a random port even if the packet's own port is free. */
      readonly isPortRandom?: true;
    }
  /** Source becomes the address of the outgoing link. */
  | { readonly kind: "masquerade"; readonly ports?: readonly [number, number]; readonly isPortRandom?: true }
  /** Destination becomes the address of the incoming link, or loopback at the hook output. */
  | { readonly kind: "redirect"; readonly ports?: readonly [number, number] };
