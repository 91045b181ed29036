import { AF, type AddressFamily, toAddressFamily, encodeIp, decodeIp } from "./ip.ts";
import { decodeAttributes, encodeAttributes } from "./message.ts";

/** Interface addresses: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. linux/if_addr.h; rtnetlink(7). */
export const RTM_ADDRESS = { new: 20, del: 21, get: 22 } as const;

/** ifa_flags. */
export const IFA_FLAG = { dadFailed: 0x08, tentative: 0x40, permanent: 0x80 } as const;

const IFA = { address: 1, local: 2 } as const;

export interface InterfaceAddress {
  readonly family: AddressFamily;
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
  /** rt_scope: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** Reported by the kernel, never sent to it. */
  readonly flags?: number;
}

/** Encodes the body of RTM_NEWADDR and RTM_DELADDR. */
export function encodeAddress({ family, index, address, prefixLength, scope }: InterfaceAddress): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(AF[family], 0);
  head.writeUInt8(prefixLength, 1);
  head.writeUInt8(scope, 3);
  head.writeUInt32LE(index, 4);
  const bytes = encodeIp(address);
  return Buffer.concat([
    head,
    encodeAttributes([
      { type: IFA.local, value: bytes },
      { type: IFA.address, value: bytes },
    ]),
  ]);
}

/** Encodes a request for the addresses of all links and families. */
export function encodeAddressDump(): Buffer {
  return Buffer.alloc(8);
}

/**
 * Decodes an address; returns undefined for families that are not IP. On point-to-point links IFA_LOCAL is the address of this
 * end, IFA_ADDRESS that of the peer.
 */
export function decodeAddress(payload: Buffer): InterfaceAddress | undefined {
  const family = toAddressFamily(payload.readUInt8(0));
  const attributes = decodeAttributes(payload.subarray(8));
  const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address);
  if (!family || !bytes) return undefined;
  return {
    family,
    index: payload.readUInt32LE(4),
    address: decodeIp(bytes),
    prefixLength: payload.readUInt8(1),
    scope: payload.readUInt8(3),
    flags: payload.readUInt8(2),
  };
}
