import { AF, type AddressFamily, toAddressFamily, encodeIp, decodeIp, encodeMac, decodeMac } from "./ip.ts";
import { decodeAttributes, encodeAttributes } from "./message.ts";

/** Neighbours (ARP and ND entries): RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH. linux/neighbour.h; arp(7). */
export const RTM_NEIGHBOUR = { new: 28, del: 29, get: 30 } as const;

export const NUD_PERMANENT = 0x80;
const NDA = { dst: 1, lladdr: 2 } as const;

interface Neighbour {
  readonly family: AddressFamily;
  /** Index of the link it is seen on. */
  readonly link: number;
  readonly address: string;
  readonly mac: string;
  /** NUD_* bits; 0x80 is permanent. */
  readonly state: number;
}

/** Encodes the body of RTM_NEWNEIGH and RTM_DELNEIGH. */
export function encodeNeighbour({ family, link, address, mac, state }: Neighbour): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[family], 0);
  head.writeInt32LE(link, 4);
  head.writeUInt16LE(state, 8);
  return Buffer.concat([
    head,
    encodeAttributes([
      { type: NDA.dst, value: encodeIp(address) },
      { type: NDA.lladdr, value: encodeMac(mac) },
    ]),
  ]);
}

/** Encodes a request for the neighbours of a family. */
export function encodeNeighbourDump(family: AddressFamily): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[family], 0);
  return head;
}

/** Selects one neighbour (Linux 5.0), which costs the same however many there are. */
export function encodeNeighbourGet({ family, link, address }: Pick<Neighbour, "family" | "link" | "address">): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[family], 0);
  head.writeInt32LE(link, 4);
  return Buffer.concat([head, encodeAttributes([{ type: NDA.dst, value: encodeIp(address) }])]);
}

/** Decodes a neighbour entry; returns undefined for families that are not IP and for entries without an address. */
export function decodeNeighbour(payload: Buffer): Neighbour | undefined {
  const family = toAddressFamily(payload.readUInt8(0));
  const attributes = decodeAttributes(payload.subarray(12));
  const address = attributes.get(NDA.dst);
  if (!family || !address) return undefined;
  return {
    family,
    link: payload.readInt32LE(4),
    address: decodeIp(address),
    mac: decodeMac(attributes.get(NDA.lladdr) ?? Buffer.alloc(0)),
    state: payload.readUInt16LE(8),
  };
}
