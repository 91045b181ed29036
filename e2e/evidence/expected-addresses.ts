import { getHost, type PacketPath, type SeenHop } from "./path.ts";

/** The addresses that a cell's packets must have at both ends. */
export interface ExpectedAddresses {
  /** As in the result: `10.0.0.1:80`, `[fd00::1]:80`, or without a port (ICMP). */
  readonly requested: string;
  /** The server's own address, after the last translation; undefined where no capture sees it. */
  readonly server: string | undefined;
  /** Allowed source addresses at the server; undefined: any. */
  readonly sources: readonly string[] | undefined;
}

/**
 * Returns what is wrong with the addresses along a path whose hops are right; undefined if nothing is. The reply must undo
 * each translation of the request: the client gets its answer from the address that it sent the request to. Pure.
 */
export function findWrongAddress({ request, reply }: PacketPath, expected: ExpectedAddresses): string | undefined {
  const { requested: asked, server, sources } = expected;
  const [sent, arrived, answered, received] = [request[0], request.at(-1), reply[0], reply.at(-1)];
  if (sent === undefined || arrived === undefined) return undefined;
  const firstProblem = [
    sent.destination !== asked && `the request was sent to ${sent.destination}, not to ${asked}`,
    server !== undefined &&
      getHost(arrived.destination) !== server &&
      `the request arrived for ${arrived.destination}, not for ${server}`,
    sources !== undefined &&
      !sources.includes(getHost(arrived.source)) &&
      `the request arrived from ${arrived.source}, expected ${sources.join(" or ")}`,
    answered !== undefined &&
      !isAnswer(arrived, answered) &&
      `the reply began ${describeAddresses(answered)}, not the reverse of the request's end`,
    received !== undefined &&
      !isAnswer(sent, received) &&
      `the reply ended ${describeAddresses(received)}, not the reverse of the request's start`,
    ...request.map((hop) => findAsymmetry(hop, reply)),
  ].find((problem) => typeof problem === "string");
  if (firstProblem === undefined) return undefined;
  const translated = [...listTranslations(request), ...listTranslations(reply)];
  return translated.length === 0 ? firstProblem : `${firstProblem} (translated: ${translated.join("; ")})`;
}

/** Compares a request's hop with the reply's hop on the same link, which must have the reverse addresses. @returns the difference */
function findAsymmetry(hop: SeenHop, reply: readonly SeenHop[]): string | false {
  const reverseHop = reply.find(
    ({ place, link, direction }) => place === hop.place && link === hop.link && direction !== hop.direction,
  );
  return (
    reverseHop !== undefined &&
    !isAnswer(hop, reverseHop) &&
    `at ${hop.place} ${hop.link} the reply went ${describeAddresses(reverseHop)}, the request ${describeAddresses(hop)}`
  );
}

const isAnswer = (request: SeenHop, reply: SeenHop): boolean =>
  request.source === reply.destination && request.destination === reply.source;

const describeAddresses = ({ source, destination }: SeenHop): string => `from ${source} to ${destination}`;

/** Lists the places where an address changed: `node-1: destination 10.233.0.9:80 -> 10.233.64.7:8080`. */
export function listTranslations(hops: readonly SeenHop[]): readonly string[] {
  return hops.flatMap((hop, index) => {
    const previous = hops[index - 1];
    if (previous === undefined) return [];
    return (["source", "destination"] as const).flatMap((end) =>
      previous[end] === hop[end] ? [] : [`${hop.place}: ${end} ${previous[end]} -> ${hop[end]}`],
    );
  });
}
