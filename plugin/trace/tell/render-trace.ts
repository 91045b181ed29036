import type { Tuple } from "../packet.ts";
import type { Failure, Hop, PacketTrace, Path, Trace, TraceEvent } from "../trace.ts";
import { findRemedy } from "./find-remedy.ts";

const VERDICTS = { pass: "passes", drop: "is dropped", reject: "is rejected", unknown: "is not known" } as const;
const INDENT = "     ";

/**
 * Renders a trace as text, hop by hop: the first line says the result, the last lines why and what to do.
 *
 * @param names of the namespaces by their ids
 */
export function renderTrace(trace: Trace, names: ReadonlyMap<string, string>): string {
  const { source, destination, protocol, port } = trace.request;
  const target = protocol === "icmp" ? destination : formatEndpoint(destination, port);
  const title = `${protocol} from ${names.get(source) ?? source} to ${target} ${VERDICTS[trace.verdict]}`;
  return [title, ...trace.paths.flatMap((path, index) => renderPath(path, index, trace.paths.length, names)), ""].join(
    "\n",
  );
}

function renderPath(path: Path, index: number, count: number, names: ReadonlyMap<string, string>): readonly string[] {
  const share = `${Math.round(path.probability * 1000) / 10} % of connections`;
  const title = count === 1 ? [] : ["", `Path ${index + 1} of ${count}, ${share}: ${VERDICTS[path.verdict]}`];
  const { server, seenSource } = path;
  const ends =
    server === undefined
      ? []
      : [
          `The server is ${names.get(server.namespace) ?? server.namespace}, ${formatEndpoint(server.address, server.port)}${seenSource === undefined ? "" : `; it sees ${seenSource}`}.`,
        ];
  return [
    ...title,
    ...path.packets.flatMap(renderPacket),
    "",
    ...ends,
    ...(path.failure === undefined ? [] : renderFailure(path.failure, names)),
  ];
}

function renderPacket({ name, direction, hops, failure }: PacketTrace): readonly string[] {
  const title = name === direction ? name : `${direction}: ${name}`;
  return ["", `${title}${failure === undefined ? "" : ` (${VERDICTS[failure.verdict]})`}`, ...hops.flatMap(renderHop)];
}

function renderHop(hop: Hop, index: number): readonly string[] {
  const { namespace, inLink, outLink, before, after, conntrackState, mark, outer } = hop;
  const links = [
    ...(inLink === undefined ? [] : [`in ${inLink}`]),
    ...(outLink === undefined ? [] : [`out ${outLink}`]),
  ].join(", ");
  const state = [
    ...(conntrackState === undefined ? [] : [`conntrack ${conntrackState}`]),
    ...(mark === 0 ? [] : [`mark 0x${mark.toString(16)}`]),
    ...(outer === undefined ? [] : [`in a tunnel ${outer.source} -> ${outer.destination}`]),
  ];
  return [
    `${String(index + 1).padStart(3)}. ${namespace.kind} ${namespace.name}${links === "" ? "" : ` (${links})`}`,
    `${INDENT}${formatTuple(before)}${isSame(before, after) ? "" : `  =>  ${formatTuple(after)}`}${state.length === 0 ? "" : `, ${state.join(", ")}`}`,
    ...hop.events.map((event) => `${INDENT}${renderEvent(event)}`),
  ];
}

function renderEvent(event: TraceEvent): string {
  if (event.kind !== "rule") return `${event.kind}: ${event.text}`;
  const { family, table, chain, text, effect } = event.step;
  return `${event.hook}: ${family} ${table} ${chain}: ${text}  [${effect}]`;
}

function renderFailure(failure: Failure, names: ReadonlyMap<string, string>): readonly string[] {
  const { verdict, namespace, text, rule, hook } = failure;
  const remedy = findRemedy(failure);
  return [
    `The packet ${VERDICTS[verdict]} in ${names.get(namespace) ?? namespace}: ${text}`,
    ...(rule === undefined
      ? []
      : [`  ${hook ?? ""} ${rule.family} ${rule.table} ${rule.chain}: ${rule.text}`.replace("   ", "  ")]),
    ...(remedy === undefined ? [] : [`  -> ${remedy}`]),
  ];
}

function isSame(a: Tuple, b: Tuple): boolean {
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort
  );
}

function formatTuple({ source, sourcePort, destination, destinationPort }: Tuple): string {
  return `${formatEndpoint(source, sourcePort)} -> ${formatEndpoint(destination, destinationPort)}`;
}

function formatEndpoint(address: string, port: number): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
