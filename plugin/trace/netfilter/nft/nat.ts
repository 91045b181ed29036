import { formatAddressNumber } from "../model/address-number.ts";
import type { Translation } from "../../packet.ts";
import { BREAK, type RuleStatement } from "../model/ruleset.ts";
import { describeTranslation } from "../model/translation-text.ts";
import { compileValue } from "./compile-expression.ts";
import { ADDRESS, NUMBER } from "./datatype.ts";
import type { Reader } from "./expression.ts";
import { readArray, readField, readOnlyEntry } from "./json.ts";
import { decideReading } from "./match.ts";
import type { NftJson } from "./ruleset-json.ts";
import type { SetCatalog } from "./set-catalog.ts";
import { combineReadings, mapReading, type Value } from "./value.ts";

type NatKind = Translation["kind"];

/** Compiles a reader of the first and last address or port. */
function compileLimits(json: NftJson, type: typeof ADDRESS, sets: SetCatalog): Reader {
  const [key, content] = readOnlyEntry(json) ?? [];
  const limits = key === "range" ? readArray(content) : [json, json];
  const [first, last] = limits.map((limit) => compileValue(limit, type, sets));
  if (first === undefined || last === undefined) throw new Error(JSON.stringify(json));
  if (key !== "range") return (packet, context) => mapReading(first.read(packet, context), (value) => [value, value]);
  return (packet, context) => combineReadings([first.read(packet, context), last.read(packet, context)]);
}

function toText(address: Value): string {
  return formatAddressNumber(typeof address === "bigint" ? address : Number(address));
}

function createTranslation(
  kind: NatKind,
  addresses: Value | undefined,
  ports: Value | undefined,
  isPortRandom = false,
): Translation {
  const portLimits = ports as readonly [number, number] | undefined;
  const withPorts = {
    ...(portLimits === undefined ? {} : { ports: portLimits }),
    ...(isPortRandom ? { isPortRandom: true as const } : {}),
  };
  if (kind === "masquerade" || kind === "redirect") return { kind, ...withPorts };
  const limits = addresses as readonly [Value, Value] | undefined;
  if (limits === undefined) return { kind, ...withPorts };
  return { kind, addresses: [toText(limits[0]), toText(limits[1])], ...withPorts };
}

/** Reports whether the kernel chooses the source port at random. nft prints one flag as text, several as an array. */
function hasRandomPort(kind: NatKind, content: NftJson): boolean {
  const flags = readField(content, "flags");
  const names: readonly NftJson[] = Array.isArray(flags) ? flags : [flags];
  return (
    (kind === "snat" || kind === "masquerade") && names.some((name) => name === "random" || name === "fully-random")
  );
}

/**
 * Compiles `dnat`, `snat`, `masquerade` and `redirect`.
 *
 * @throws an error whose message is the unsupported part
 */
export function compileNat(kind: NatKind, content: NftJson, sets: SetCatalog): RuleStatement {
  const address = readField(content, "addr");
  const port = readField(content, "port");
  const family = readField(content, "family");
  const isPortRandom = hasRandomPort(kind, content);
  if (isPairMap(address, sets)) return compilePairMap(kind, address, family, sets);
  const readAddresses = address === undefined ? undefined : compileLimits(address, ADDRESS, sets);
  const readPorts = port === undefined ? undefined : compileLimits(port, NUMBER, sets);
  return (packet, context) => {
    if (!hasFamily(family, packet.family)) return BREAK;
    const parts = [readAddresses, readPorts].flatMap((read) => (read === undefined ? [] : [read(packet, context)]));
    return decideReading(combineReadings(parts), (values) => {
      const list = values as readonly Value[];
      const addresses = readAddresses === undefined ? undefined : list[0];
      const ports = readPorts === undefined ? undefined : list[list.length - 1];
      const translation = createTranslation(kind, addresses, ports, isPortRandom);
      return { kind: "translate", translation, effect: describeTranslation(translation) };
    });
  };
}

/** Reports whether one map has both address and port: `dnat ip addr . port to … map @m`. */
function isPairMap(address: NftJson, sets: SetCatalog): boolean {
  const [key, content] = readOnlyEntry(address) ?? [];
  if (key !== "map") return false;
  return sets
    .listElements(readField(content, "data"))
    .some((pair) => Array.isArray(pair) && readOnlyEntry(pair[1])?.[0] === "concat");
}

function compilePairMap(kind: NatKind, address: NftJson, family: NftJson, sets: SetCatalog): RuleStatement {
  const { read } = compileValue(address, [ADDRESS, NUMBER], sets);
  return (packet, context) => {
    if (!hasFamily(family, packet.family)) return BREAK;
    return decideReading(read(packet, context), (pair) => {
      const [to = "", port = 0] = pair as readonly Value[];
      const translation = createTranslation(kind, [to, to], [port, port]);
      return { kind: "translate", translation, effect: describeTranslation(translation) };
    });
  };
}

function hasFamily(family: NftJson, packetFamily: string): boolean {
  return family === undefined || (family === "ip" ? "ipv4" : "ipv6") === packetFamily;
}
