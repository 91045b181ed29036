import type { Packet } from "../../packet.ts";
import { formatAddressNumber } from "../model/address-number.ts";
import { setConnmark, setMark, setTtl, setZone } from "../model/packet-change.ts";
import { CONTINUE_ALWAYS, type Result, type RuleStatement } from "../model/ruleset.ts";
import { compileExpression, compileValue } from "./compile-expression.ts";
import { readField, readOnlyEntry } from "./json.ts";
import { decideReading } from "./match.ts";
import type { NftJson } from "./ruleset-json.ts";
import type { SetCatalog } from "./set-catalog.ts";
import type { Value } from "./value.ts";

type Change = (packet: Packet, value: Value) => Result;

function changeField(name: "source" | "destination" | "sourcePort" | "destinationPort"): Change {
  return (packet, value) => {
    const isAddress = name === "source" || name === "destination";
    const text = isAddress ? formatAddressNumber(typeof value === "bigint" ? value : Number(value)) : Number(value);
    return { kind: "change", packet: { ...packet, [name]: text }, effect: `${name} ${text}` };
  };
}

const ADDRESS_CHANGES = { saddr: changeField("source"), daddr: changeField("destination") };
const PORT_CHANGES = { sport: changeField("sourcePort"), dport: changeField("destinationPort") };
const changeTtl: Change = (packet, value) => setTtl(packet, Number(value));

/** Changes by protocol and field: `meta mark`, `ip ttl`, … */
const CHANGES: Readonly<Record<string, Readonly<Record<string, Change>>>> = {
  meta: { mark: (packet, value) => setMark(packet, Number(value)) },
  ct: {
    mark: (packet, value) => setConnmark(packet, Number(value)),
    zone: (packet, value) => setZone(packet, Number(value)),
  },
  ip: { ...ADDRESS_CHANGES, ttl: changeTtl },
  ip6: { ...ADDRESS_CHANGES, hoplimit: changeTtl },
  tcp: PORT_CHANGES,
  udp: PORT_CHANGES,
  th: PORT_CHANGES,
};

/** Fields whose change does not affect the path. */
const WITHOUT_EFFECT: Readonly<Record<string, readonly string[]>> = {
  meta: ["priority", "nftrace", "secmark"],
  ct: ["helper", "label", "event", "secmark", "timeout"],
  ip: ["dscp", "ecn", "id", "checksum"],
  ip6: ["dscp", "ecn", "flowlabel"],
  tcp: ["checksum", "window", "urgptr"],
  udp: ["checksum"],
};

/**
 * Compiles `{"mangle": {"key": {"meta": {"key": "mark"}}, "value": …}}`.
 *
 * @throws an error whose message is the statement, if it is unsupported
 */
export function compileMangle(content: NftJson, sets: SetCatalog): RuleStatement {
  const key = readField(content, "key");
  const [kind = "", target] = readOnlyEntry(key) ?? [];
  if (kind === "tcp option") return CONTINUE_ALWAYS;
  const protocol = kind === "payload" ? String(readField(target, "protocol")) : kind;
  const name = String(readField(target, kind === "payload" ? "field" : "key"));
  if (WITHOUT_EFFECT[protocol]?.includes(name) === true) return CONTINUE_ALWAYS;
  const change = CHANGES[protocol]?.[name];
  if (change === undefined) throw new Error(`set ${protocol} ${name}`);
  const { read } = compileValue(readField(content, "value"), compileExpression(key, sets).type, sets);
  return (packet, context) => decideReading(read(packet, context), (value) => change(packet, value));
}
