import type { Family } from "../../../datapath/address.ts";
import { type AddressNumber, includesAddress, parseAddressNumber, parseAddressRange } from "../model/address-number.ts";
import { findIcmpType } from "../model/icmp-types.ts";
import { parseProtocol } from "../model/protocols.ts";

/** One part of a packet that a set compares, in the order of the set's type. */
export type IpsetPart = AddressNumber | string | { readonly protocol: number; readonly port: number };

/** A set as `ipset save` prints it; elements are indexed when a packet is first looked up. */
export interface Ipset {
  readonly name: string;
  /** For example `hash:ip,port`. */
  readonly type: string;
  /** Type of each part of an element: `ip`, `net`, `port`, `iface`, `mac`, `mark` or `set`. */
  readonly parts: readonly string[];
  /** Undefined for sets without addresses and lists of sets. */
  readonly family: Family | undefined;
  /** Networks of this prefix length are stored instead of addresses. */
  readonly netmask?: number;
  /** Elements as written, options included. */
  readonly elements: readonly string[];
}

const CREATE = /^create (\S+) (\S+)(.*)$/;
const ADD = /^add (\S+) (.*)$/;

/**
 * Parses the output of `ipset save`.
 *
 * @param text May be empty.
 * @returns Sets by name.
 * @throws if a line is neither `create` nor `add` of a previously created set
 */
export function parseIpsets(text: string): ReadonlyMap<string, Ipset> {
  const sets = new Map<string, Ipset & { elements: string[] }>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const create = CREATE.exec(line);
    if (create !== null) {
      const [, name = "", type = "", options = ""] = create;
      const parts = type === "list:set" ? ["set"] : (type.split(":")[1] ?? "").split(",");
      const netmask = / netmask (\d+)/.exec(options)?.[1];
      const family = parseFamily(parts, options);
      sets.set(name, { name, type, parts, family, ...(netmask && { netmask: Number(netmask) }), elements: [] });
      continue;
    }
    const [, name = "", element = ""] = ADD.exec(line) ?? [];
    const set = sets.get(name);
    if (set === undefined) throw new Error(`invalid line of ipset save "${line}": the set was not created before`);
    set.elements.push(element);
  }
  return sets;
}

function parseFamily(parts: readonly string[], options: string): Family | undefined {
  if (!parts.some((part) => part === "ip" || part === "net")) return undefined;
  return options.includes(" family inet6") ? "ipv6" : "ipv4";
}

/** Compiled part of an element. Specific parts have a greater prefix length. */
interface ElementPart {
  readonly includes: (part: IpsetPart) => boolean;
  /** Prefix length of a network. */
  readonly length?: number;
}

interface Element {
  readonly parts: readonly ElementPart[];
  /** `nomatch`: the element is an exception from a greater network. */
  readonly excluded: boolean;
}

/** Elements of a set in a form that is fast to search. */
export interface IpsetIndex {
  /** Keys of elements without a range or network, as {@link formatKey} writes them. */
  readonly exact: ReadonlySet<string>;
  /** Other elements, the most specific networks first: the kernel takes the first that matches. */
  readonly ranges: readonly Element[];
}

/** Indexes the elements of a set that is not a `list:set`. @throws if an element is invalid */
export function indexIpset(set: Ipset): IpsetIndex {
  const exact = new Set<string>();
  const ranges: Element[] = [];
  for (const text of set.elements) {
    const [value = "", ...options] = text.split(" ");
    const fields = splitFields(set, value);
    const excluded = options.includes("nomatch");
    const key = excluded ? undefined : formatExactKey(set, fields);
    if (key !== undefined) exact.add(key);
    else {
      const wildcard = options.includes("wildcard");
      ranges.push({ parts: fields.map((field, index) => parseField(set, index, field, wildcard)), excluded });
    }
  }
  const specificity = ({ parts }: Element) => parts.reduce((sum, { length = 0 }) => sum + length, 0);
  return { exact, ranges: ranges.sort((first, second) => specificity(second) - specificity(first)) };
}

/** Reports whether a set contains the parts of a packet. */
export function includesParts(index: IpsetIndex, parts: readonly IpsetPart[]): boolean {
  if (index.ranges.length === 0) return index.exact.has(formatKey(parts));
  const matching = index.ranges.find((element) =>
    element.parts.every((part, position) => matchesPart(part, parts[position])),
  );
  return matching === undefined
    ? index.exact.has(formatKey(parts))
    : !matching.excluded || index.exact.has(formatKey(parts));
}

function matchesPart(part: ElementPart, value: IpsetPart | undefined): boolean {
  return value !== undefined && part.includes(value);
}

/** Writes the parts of a packet as one key. */
function formatKey(parts: readonly IpsetPart[]): string {
  return parts.map((part) => (typeof part === "object" ? `${part.protocol}:${part.port}` : String(part))).join(",");
}

function splitFields({ name, parts, netmask }: Ipset, value: string): readonly string[] {
  const fields = value.split(",");
  if (fields.length !== parts.length)
    throw new Error(`invalid element "${value}" of ipset ${name}: ${parts.length} parts expected`);
  return netmask === undefined
    ? fields
    : fields.map((field, index) => (parts[index] === "ip" && !field.includes("/") ? `${field}/${netmask}` : field));
}

function formatExactKey(set: Ipset, fields: readonly string[]): string | undefined {
  const parts: IpsetPart[] = [];
  for (const [index, field] of fields.entries()) {
    const kind = set.parts[index];
    if (kind === "ip" || kind === "net") {
      if (/[/-]/.test(field)) return undefined;
      parts.push(parseAddressNumber(field));
    } else if (kind === "port") {
      const port = parsePort(field, set.family);
      if (port.first !== port.last || port.protocol === undefined) return undefined;
      parts.push({ protocol: port.protocol, port: port.first });
    } else if (kind === "mac") {
      parts.push(field.toLowerCase());
    } else {
      // An interface or mark may have a prefix or mask.
      return undefined;
    }
  }
  return formatKey(parts);
}

function parseField(set: Ipset, index: number, field: string, wildcard: boolean): ElementPart {
  switch (set.parts[index]) {
    case "ip":
    case "net": {
      const range = parseAddressRange(field);
      const length = Number(field.split("/")[1] ?? (set.family === "ipv4" ? 32 : 128));
      return {
        includes: (part) => typeof part !== "string" && typeof part !== "object" && includesAddress(range, part),
        length,
      };
    }
    case "port": {
      const { protocol, first, last } = parsePort(field, set.family);
      // A bitmap of ports has no protocol and compares those of TCP and UDP.
      const protocols = protocol === undefined ? [6, 17] : [protocol];
      return {
        includes: (part) =>
          typeof part === "object" && protocols.includes(part.protocol) && part.port >= first && part.port <= last,
      };
    }
    case "iface":
      if (field.startsWith("physdev:")) throw new Error(`element "${field}" of ipset ${set.name}`);
      return { includes: (part) => (wildcard && typeof part === "string" ? part.startsWith(field) : part === field) };
    case "mac":
      return { includes: (part) => part === field.toLowerCase() };
    case "mark":
      return { includes: (part) => part === Number(field) };
    default:
      throw new Error(`type ${set.type} of ipset ${set.name}`);
  }
}

/** Parses `80`, `tcp:80`, `udp:5000-6000`, `icmp:echo-request`, `icmp:8/0`. */
function parsePort(
  field: string,
  family: Family | undefined,
): { readonly protocol?: number; readonly first: number; readonly last: number } {
  const separator = field.indexOf(":");
  const protocol = separator < 0 ? undefined : parseProtocol(field.slice(0, separator));
  const [first = "", last = first] = field.slice(separator + 1).split(/-(?=\d)/);
  const range = { first: parsePortNumber(first, family), last: parsePortNumber(last, family) };
  return { ...(protocol === undefined ? {} : { protocol }), ...range };
}

/** Parses a port, or the type and code of ICMP as one number: type * 256 + code. */
function parsePortNumber(text: string, family: Family | undefined): number {
  const [type = "", code = "0"] = text.split("/");
  if (/^\d+$/.test(text)) return Number(text);
  const named = /^\d+$/.test(type) ? Number(type) : findIcmpType(type, family ?? "ipv4");
  if (named === undefined) throw new Error(`port ${text} of an ipset`);
  return named * 256 + Number(code);
}
