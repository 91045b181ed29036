import { encodeMac, decodeMac } from "./ip.ts";
import {
  type Attribute,
  decodeAttributes,
  encodeAttributes,
  readTerminatedText,
  encodeText,
  encodeU32,
} from "./message.ts";

/** Links: RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK. linux/rtnetlink.h, linux/if_link.h; rtnetlink(7). */
export const RTM_LINK = { new: 16, del: 17, get: 18 } as const;

const IFF_UP = 0x1;
const IFLA = {
  address: 1,
  ifname: 3,
  mtu: 4,
  link: 5,
  txqlen: 13,
  linkinfo: 18,
  netNsFd: 28,
  linkNetnsid: 37,
} as const;
const IFLA_INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  /** Empty for links without one (tun). */
  readonly mac: string;
  /** veth, macvlan, vxlan, …; undefined for hardware. */
  readonly kind: string | undefined;
  /** A veth's peer or a macvlan's parent: an index in the namespace that `linkNetnsid` names, or in this one. */
  readonly link: number | undefined;
  readonly linkNetnsid: number | undefined;
}

/** One end of a veth pair to be made. */
interface VethEnd {
  readonly name: string;
  readonly mac: string;
}

function encodeLinkHeader(index: number, flags: number, change: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}

/**
 * Encodes the creation of a veth pair in one message, both ends down: the local end in this namespace, the peer in the namespace
 * of `peerNamespaceFd`.
 */
export function encodeVethPair(
  local: VethEnd,
  peer: VethEnd,
  peerNamespaceFd: number,
  { mtu, txQueueLength }: { readonly mtu: number; readonly txQueueLength?: number },
): Buffer {
  const encodeEnd = (end: VethEnd): Attribute[] => [
    { type: IFLA.ifname, value: encodeText(end.name) },
    { type: IFLA.address, value: encodeMac(end.mac) },
    { type: IFLA.mtu, value: encodeU32(mtu) },
    ...(txQueueLength === undefined ? [] : [{ type: IFLA.txqlen, value: encodeU32(txQueueLength) }]),
  ];
  const peerBody = Buffer.concat([
    encodeLinkHeader(0, 0, 0),
    encodeAttributes([...encodeEnd(peer), { type: IFLA.netNsFd, value: encodeU32(peerNamespaceFd) }]),
  ]);
  return Buffer.concat([
    encodeLinkHeader(0, 0, 0), // an end cannot be up before there is another (veth_open: ENOTCONN)
    encodeAttributes([
      ...encodeEnd(local),
      {
        type: IFLA.linkinfo,
        value: [
          { type: IFLA_INFO.kind, value: Buffer.from("veth") },
          { type: IFLA_INFO.data, value: [{ type: VETH_INFO_PEER, value: peerBody }] },
        ],
      },
    ]),
  ]);
}

/** Changes of a link by RTM_SETLINK; properties that are not given stay. */
interface LinkChange {
  readonly index: number;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  readonly txqlen?: number;
}

/** Encodes a request that changes only the given properties of a link. */
export function encodeLinkChange({ index, up, mtu, mac, txqlen }: LinkChange): Buffer {
  const attributes: Attribute[] = [];
  if (mtu !== undefined) attributes.push({ type: IFLA.mtu, value: encodeU32(mtu) });
  if (mac !== undefined) attributes.push({ type: IFLA.address, value: encodeMac(mac) });
  if (txqlen !== undefined) attributes.push({ type: IFLA.txqlen, value: encodeU32(txqlen) });
  return Buffer.concat([
    encodeLinkHeader(index, up === true ? IFF_UP : 0, up === undefined ? 0 : IFF_UP),
    encodeAttributes(attributes),
  ]);
}

/** Encodes the selection of a link by name, for RTM_GETLINK and RTM_DELLINK; without a name it selects all links (a dump). */
export function encodeLinkName(name?: string): Buffer {
  return Buffer.concat([
    encodeLinkHeader(0, 0, 0),
    encodeAttributes(name === undefined ? [] : [{ type: IFLA.ifname, value: encodeText(name) }]),
  ]);
}

/** Encodes the selection of a link by index, for RTM_GETLINK and RTM_DELLINK. */
export function encodeLinkIndex(index: number): Buffer {
  return encodeLinkHeader(index, 0, 0);
}

/** Decodes the body of RTM_NEWLINK. */
export function decodeLink(payload: Buffer): Link {
  const attributes = decodeAttributes(payload.subarray(16));
  const info = attributes.get(IFLA.linkinfo);
  const kind = info && decodeAttributes(info).get(IFLA_INFO.kind);
  return {
    index: payload.readInt32LE(4),
    name: readTerminatedText(attributes.get(IFLA.ifname) ?? Buffer.alloc(0)),
    up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    mtu: attributes.get(IFLA.mtu)?.readUInt32LE() ?? 0,
    mac: decodeMac(attributes.get(IFLA.address) ?? Buffer.alloc(0)),
    kind: kind && readTerminatedText(kind),
    link: attributes.get(IFLA.link)?.readUInt32LE(),
    linkNetnsid: attributes.get(IFLA.linkNetnsid)?.readInt32LE(),
  };
}
