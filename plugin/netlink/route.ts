import { AF, type AddressFamily, toAddressFamily, encodeIp, decodeIp, type Prefix } from "./ip.ts";
import { type Attribute, decodeAttributes, encodeAttributes, encodeU32 } from "./message.ts";

/** Routes: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE. linux/rtnetlink.h; rtnetlink(7). */
export const RTM_ROUTE = { new: 24, del: 25, get: 26 } as const;

/** rt_scope_t. */
export const SCOPE = { universe: 0, link: 253, host: 254 } as const;
/** rtm_type: what lookups give. */
const RTN_UNICAST = 1;
const RTA = { dst: 1, oif: 4, gateway: 5, priority: 6, prefsrc: 7, table: 15 } as const;
const MAIN_TABLE = 254;
/** rtm_flags: the gateway is on the link, though no route says so. */
const RTNH_F_ONLINK = 4;

export interface Route {
  readonly family: AddressFamily;
  /** undefined is the default route. */
  readonly destination: Prefix | undefined;
  readonly gateway?: string | undefined;
  /** Index of the outgoing link. */
  readonly link?: number | undefined;
  readonly source?: string | undefined;
  readonly table: number;
  readonly scope: number;
  /** rtm_protocol: origin of the route. */
  readonly protocol: number;
  readonly metric?: number | undefined;
  readonly onlink?: boolean;
  /** rtm_type; 1 is unicast, 2 local, 3 broadcast. */
  readonly type?: number;
}

/** Encodes the body of RTM_NEWROUTE and RTM_DELROUTE. */
export function encodeRoute(route: Route): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[route.family], 0);
  head.writeUInt8(route.destination?.length ?? 0, 1);
  head.writeUInt8(route.table < 256 ? route.table : 0, 4);
  head.writeUInt8(route.protocol, 5);
  head.writeUInt8(route.scope, 6);
  head.writeUInt8(route.type ?? RTN_UNICAST, 7);
  head.writeUInt32LE(route.onlink === true ? RTNH_F_ONLINK : 0, 8);
  const attributes: Attribute[] = [{ type: RTA.table, value: encodeU32(route.table) }];
  if (route.destination) attributes.push({ type: RTA.dst, value: encodeIp(route.destination.address) });
  if (route.gateway !== undefined) attributes.push({ type: RTA.gateway, value: encodeIp(route.gateway) });
  if (route.link !== undefined) attributes.push({ type: RTA.oif, value: encodeU32(route.link) });
  if (route.source !== undefined) attributes.push({ type: RTA.prefsrc, value: encodeIp(route.source) });
  if (route.metric !== undefined) attributes.push({ type: RTA.priority, value: encodeU32(route.metric) });
  return Buffer.concat([head, encodeAttributes(attributes)]);
}

/** Selects routes of a family, of one protocol alone if given (the socket asks for strict checking, so the kernel filters). */
export function encodeRouteDump(family: AddressFamily, protocol = 0): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[family], 0);
  head.writeUInt8(protocol, 5);
  return head;
}

/** Reads from a message, without decoding it, whether the route is a default route. */
export function isDefaultRoute(payload: Buffer): boolean {
  return payload.readUInt8(1) === 0;
}

/** Decodes a route; returns undefined for families that are not IP. */
export function decodeRoute(payload: Buffer): Route | undefined {
  const family = toAddressFamily(payload.readUInt8(0));
  if (!family) return undefined;
  const attributes = decodeAttributes(payload.subarray(12));
  const decodeAddress = (type: number): string | undefined => {
    const bytes = attributes.get(type);
    return bytes && decodeIp(bytes);
  };
  const destination = decodeAddress(RTA.dst);
  return {
    family,
    destination: destination === undefined ? undefined : { address: destination, length: payload.readUInt8(1) },
    gateway: decodeAddress(RTA.gateway),
    link: attributes.get(RTA.oif)?.readUInt32LE(),
    source: decodeAddress(RTA.prefsrc),
    table: attributes.get(RTA.table)?.readUInt32LE() ?? (payload.readUInt8(4) || MAIN_TABLE),
    scope: payload.readUInt8(6),
    protocol: payload.readUInt8(5),
    metric: attributes.get(RTA.priority)?.readUInt32LE(),
    type: payload.readUInt8(7),
  };
}
