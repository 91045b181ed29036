import type { Tuple } from "../packet.ts";
import type { TraceFailure, TraceHop, PacketTrace, TracePath, Trace, TraceEvent } from "../trace.ts";
import { findRemedy } from "./find-remedy.ts";

const VERDICTS = { pass: "passes", drop: "is dropped", reject: "is rejected", unknown: "is not known" } as const;
const INDENT = "     ";
/** Effects of rules that change neither addresses nor the verdict. */
const LEADING_EFFECT = /^(?:jump|goto|return|continue|accept|mark|log)\b/;

/** Options of the text. */
export interface RenderOptions {
  /** Names of the namespaces by their ids. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether to print also rules that only jump, accept or set a mark. */
  readonly allRules?: boolean;
}

/**
 * Renders a trace as text, hop by hop: the first line is the result, the last lines are the reason and the remedy.
 */
export function renderTrace(trace: Trace, options: RenderOptions): string {
  const { names } = options;
  const { source, destination, protocol, port } = trace.request;
  const target = protocol === "icmp" ? destination : formatEndpoint(destination, port);
  const title = `${protocol} from ${names.get(source) ?? source} to ${target} ${VERDICTS[trace.verdict]}`;
  return [
    title,
    ...trace.paths.flatMap((path, index) => renderPath(path, index, trace.paths.length, options)),
    "",
  ].join("\n");
}

function renderPath(path: TracePath, index: number, count: number, options: RenderOptions): readonly string[] {
  const { names } = options;
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
    ...path.packets.flatMap((packet) => renderPacket(packet, options)),
    "",
    ...ends,
    ...(path.failure === undefined ? [] : renderFailure(path.failure, options)),
  ];
}

function renderPacket({ name, direction, hops, failure }: PacketTrace, options: RenderOptions): readonly string[] {
  const title = name === direction ? name : `${direction}: ${name}`;
  return [
    "",
    `${title}${failure === undefined ? "" : ` (${VERDICTS[failure.verdict]})`}`,
    ...hops.flatMap((hop, index) => renderHop(hop, index, options)),
  ];
}

function renderHop(hop: TraceHop, index: number, { allRules = false }: RenderOptions): readonly string[] {
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
    ...hop.events
      .filter((event) => event.kind !== "failure" && (allRules || !isLeading(event)))
      .map((event) => `${INDENT}${renderEvent(event)}`),
  ];
}

function isLeading(event: TraceEvent): boolean {
  return event.kind === "rule" && LEADING_EFFECT.test(event.step.effect);
}

function renderEvent(event: TraceEvent): string {
  if (event.kind !== "rule") return event.text.startsWith(event.kind) ? event.text : `${event.kind}: ${event.text}`;
  const { family, table, chain, text, effect } = event.step;
  return `${event.hook}: ${family} ${table} ${chain}: ${text}  [${effect}]`;
}

function renderFailure(failure: TraceFailure, { names }: RenderOptions): readonly string[] {
  const { verdict, namespace, text, rule, hook = "a hook" } = failure;
  const remedy = findRemedy(failure);
  const where = names.get(namespace) ?? namespace;
  const why =
    rule === undefined ? text : `a rule of ${hook}\n  ${rule.family} ${rule.table} ${rule.chain}: ${rule.text}`;
  return [`The packet ${VERDICTS[verdict]} in ${where}: ${why}`, ...(remedy === undefined ? [] : [`  -> ${remedy}`])];
}

function isSame(first: Tuple, second: Tuple): boolean {
  return (
    first.source === second.source &&
    first.destination === second.destination &&
    first.sourcePort === second.sourcePort &&
    first.destinationPort === second.destinationPort
  );
}

function formatTuple({ source, sourcePort, destination, destinationPort }: Tuple): string {
  return `${formatEndpoint(source, sourcePort)} -> ${formatEndpoint(destination, destinationPort)}`;
}

function formatEndpoint(address: string, port: number): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
