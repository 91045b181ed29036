import { PacketSocket } from "../../netlink/packet-socket.ts";
import { getFamily, type Ip } from "../address.ts";
import { encodeArpRequest, decodeArp } from "./arp.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { decodeNeighbourMessage, encodeNeighbourSolicitation } from "./neighbour-discovery.ts";
import type { NicAddress } from "../plan/secondary-attachment.ts";

interface ProbeOptions {
  /** Whether to check that no other host uses the addresses (RFC 5227, section 2.1; RFC 4862, section 5.4). */
  readonly conflicts: boolean;
  /** Whether to check that the gateways reply. */
  readonly gateways: boolean;
  readonly attempts: number;
  /** Milliseconds to wait for a reply, per attempt. */
  readonly interval: number;
}

interface ProbeNic {
  /** Index of the pod's link, and its MAC. */
  readonly index: number;
  readonly mac: string;
  /** MACs of all links of the pod: a link on the same wire answers for the addresses of another (arp_ignore 0). */
  readonly ownMacs: readonly string[];
  readonly addresses: readonly NicAddress[];
}

interface ProbeResult {
  /** An address and the MAC that uses it; undefined without a conflict. */
  readonly conflict?: { readonly address: Ip; readonly mac: string };
  /** Gateways that did not reply. */
  readonly silent: readonly Ip[];
}

/**
 * Probes all addresses and gateways at once. Waits attempts × interval if it checks for conflicts (a free address sends no
 * reply), otherwise until the last gateway has replied. Returns immediately on a conflict.
 */
export function probeWire(
  nic: ProbeNic,
  { conflicts, gateways, attempts, interval }: ProbeOptions,
  pod: NetworkNamespace,
): ProbeResult {
  const checkedAddresses = conflicts ? nic.addresses.map(({ ip }) => ip) : [];
  const silent = new Set(gateways ? nic.addresses.flatMap(({ gateway }) => gateway ?? []) : []);
  const socket = pod.run(() => new PacketSocket(nic.index));
  try {
    for (let attempt = 0; attempt < attempts && (conflicts || silent.size > 0); attempt++) {
      const until = performance.now() + interval;
      for (const frame of buildProbes(nic, checkedAddresses, silent)) socket.send(frame);
      for (
        let remaining = interval;
        remaining > 0 && (conflicts || silent.size > 0);
        remaining = until - performance.now()
      ) {
        const frame = socket.receive(remaining);
        if (frame === undefined) break;
        const decoded = decodeAnswer(frame, nic.ownMacs);
        const conflict = decoded?.conflicts.find((ip) => checkedAddresses.some((address) => address === ip));
        if (decoded !== undefined && conflict !== undefined)
          return { conflict: { address: conflict as Ip, mac: decoded.mac }, silent: [...silent] };
        for (const ip of decoded?.answers ?? []) silent.delete(ip as Ip);
      }
    }
    return { silent: [...silent] };
  } finally {
    socket.close();
  }
}

function buildProbes(
  { mac, addresses }: ProbeNic,
  checkedAddresses: readonly Ip[],
  silent: ReadonlySet<Ip>,
): readonly Buffer[] {
  const encodeProbe = (target: Ip, sender?: Ip): Buffer =>
    getFamily(target) === "ipv4"
      ? encodeArpRequest(mac, target, sender)
      : encodeNeighbourSolicitation(mac, target, sender);
  return [
    ...checkedAddresses.map((ip) => encodeProbe(ip)),
    ...addresses.flatMap(({ ip, gateway }) =>
      gateway !== undefined && silent.has(gateway) ? [encodeProbe(gateway, ip)] : [],
    ),
  ];
}

interface DecodedAnswer {
  readonly mac: string;
  /** Addresses that the sender uses. */
  readonly answers: readonly string[];
  /** Addresses that the sender uses or probes: another host's probe for our address is a conflict too. */
  readonly conflicts: readonly string[];
}

/** Decodes which addresses the sender of a frame uses; undefined for the pod's own frames. Pure. */
export function decodeAnswer(frame: Buffer, ownMacs: readonly string[]): DecodedAnswer | undefined {
  const arp = decodeArp(frame);
  if (arp !== undefined) {
    if (ownMacs.includes(arp.senderMac)) return undefined;
    const probing = arp.senderIp === "0.0.0.0";
    const usedAddresses = probing ? [] : [arp.senderIp];
    return { mac: arp.senderMac, answers: usedAddresses, conflicts: probing ? [arp.targetIp] : usedAddresses };
  }
  const message = decodeNeighbourMessage(frame);
  if (message === undefined || ownMacs.includes(message.mac)) return undefined;
  if (message.kind === "advertisement")
    return { mac: message.mac, answers: [message.target], conflicts: [message.target] };
  return { mac: message.mac, answers: [], conflicts: message.source === "::" ? [message.target] : [] };
}
