import { findIcmpType } from "../model/icmp-types.ts";
import { parseAddressNumber } from "../model/address-number.ts";
import { parseProtocol } from "../model/protocols.ts";
import { readOnlyEntry } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import type { Value } from "./value.ts";

/** A type of constants. Named values are only those that `nft` prints. */
export interface Datatype {
  readonly name: string;
  /** Parses one constant. @throws if it is not of the type */
  readonly parse: (json: NftJson) => Value;
  /** Whether values are sets of bits: `ct state established,related` matches if one of the bits is set. */
  readonly isBits?: boolean;
}

function createDatatype(name: string, parse: (json: string | number | boolean) => Value): Datatype {
  return {
    name,
    parse: (json) => {
      if (typeof json !== "string" && typeof json !== "number" && typeof json !== "boolean")
        throw new Error(`${name} ${JSON.stringify(json)}`);
      return parse(json);
    },
  };
}

function parseNumber(json: string | number | boolean): number {
  const number = typeof json === "number" ? json : Number(json);
  if (typeof json === "boolean" || Number.isNaN(number)) throw new Error(`number ${json}`);
  return number;
}

/** Creates a type whose values have names. */
function createNamed(name: string, numbers: Readonly<Record<string, number>>): Datatype {
  return createDatatype(name, (json) => numbers[String(json)] ?? parseNumber(json));
}

function createBits(name: string, bits: Readonly<Record<string, number>>): Datatype {
  const { parse } = createNamed(name, bits);
  const parseBits = (json: NftJson): number => {
    const [operator, operands] = readOnlyEntry(json) ?? [];
    const list = operator === "|" ? operands : json;
    if (!Array.isArray(list)) return Number(parse(json));
    return list.reduce((sum: number, bit: NftJson) => sum | parseBits(bit), 0);
  };
  return { name, parse: parseBits, isBits: true };
}

export const STATE_BITS = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;
export const STATUS_BITS = { "seen-reply": 2, confirmed: 8, snat: 16, dnat: 32 } as const;
export const TCP_FLAG_BITS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 } as const;

export const NUMBER = createDatatype("number", parseNumber);
export const TEXT = createDatatype("text", String);
export const ADDRESS = createDatatype("address", (json) => parseAddressNumber(String(json)));
export const MAC = createDatatype("ether_addr", (json) => String(json).toLowerCase());
export const PROTOCOL = createDatatype("inet_proto", (json) =>
  typeof json === "number" ? json : parseProtocol(String(json)),
);
/** A link, by name; the kernel's index 0 means none. */
export const LINK = createDatatype("ifname", (json) => (json === 0 || json === "0" ? "" : String(json)));
export const STATE = createBits("ct_state", STATE_BITS);
export const STATUS = createBits("ct_status", STATUS_BITS);
export const TCP_FLAGS = createBits("tcp_flag", TCP_FLAG_BITS);
export const ICMP_TYPE = createDatatype("icmp_type", (json) => findIcmpType(String(json), "ipv4") ?? parseNumber(json));
export const ICMPV6_TYPE = createDatatype(
  "icmpv6_type",
  (json) => findIcmpType(String(json), "ipv6") ?? parseNumber(json),
);
export const ICMP_CODE = createNamed("icmp_code", {
  "net-unreachable": 0,
  "host-unreachable": 1,
  "prot-unreachable": 2,
  "port-unreachable": 3,
  "frag-needed": 4,
  "net-prohibited": 9,
  "host-prohibited": 10,
  "admin-prohibited": 13,
});
export const ICMPV6_CODE = createNamed("icmpv6_code", {
  "no-route": 0,
  "admin-prohibited": 1,
  "addr-unreachable": 3,
  "port-unreachable": 4,
  "policy-fail": 5,
  "reject-route": 6,
});
/** Class selectors, assured forwarding (8 * class + 2 * precedence) and the others (RFC 2474, 2597, 5865). */
export const DSCP = createNamed("dscp", {
  ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((selector) => [`cs${selector}`, 8 * selector])),
  ...Object.fromEntries(
    [1, 2, 3, 4].flatMap((group) =>
      [1, 2, 3].map((precedence) => [`af${group}${precedence}`, 8 * group + 2 * precedence]),
    ),
  ),
  be: 0,
  df: 0,
  lephb: 1,
  "voice-admit": 44,
  ef: 46,
});
export const ECN = createNamed("ecn", { "not-ect": 0, ect1: 1, ect0: 2, ce: 3 });
export const ETHER_TYPE = createNamed("ether_type", { ip: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd });
export const FAMILY = createNamed("nf_proto", { ipv4: 2, ipv6: 10 });
export const PACKET_TYPE = createNamed("pkt_type", { host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3 });
export const DIRECTION = createNamed("ct_dir", { original: 0, reply: 1 });
