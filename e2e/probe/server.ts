import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { createInterface } from "node:readline";
import { computeDigest, padToLength, isFlow, formatMark, readLargeLength, TCP_PORT, findToken } from "./protocol.ts";

/** Datagrams that have arrived, by their tokens: the newest, for questions about packets that get no answer. */
const heard = new Map<string, number>();
const MOST_TOKENS = 10_000;

/** The answer to who was seen asking, and to what was asked. */
type Greet = (seen: string, asked: string) => string;

/** Answers TCP and UDP with its own name and the address it saw: a reply from the wrong pod is told from the right one. */
export function startServer(): void {
  const server = process.env["PROBE_NAME"] ?? hostname();
  const port = Number(process.env["PROBE_PORT"] ?? TCP_PORT);
  const greet: Greet = (seen, asked) => writeAnswer(server, seen.replace(/^::ffff:/, ""), asked);
  createServer((socket) => {
    const seen = socket.remoteAddress ?? "";
    const lines = createInterface({ input: socket });
    // The other side is a test and may vanish; the lines tell of their input's errors too.
    for (const emitter of [socket, lines]) emitter.on("error", () => undefined);
    lines.on("line", (asked) => {
      if (isFlow(asked)) socket.write(greet(seen, asked));
      else socket.end(greet(seen, asked));
    });
  }).listen(port, "::");
  for (const address of ownAddresses()) answerUdp(address, port, greet);
  process.on("SIGTERM", () => process.exit(0));
}

function writeAnswer(server: string, seen: string, asked: string): string {
  const token = findToken(asked);
  const greeting = { mark: formatMark("reply", token), server, seen };
  if (asked.startsWith("heard ")) return `${JSON.stringify({ ...greeting, heard: heard.get(token) ?? 0 })}\n`;
  const length = readLargeLength(asked);
  if (length === undefined)
    return `${JSON.stringify(isFlow(asked) ? { ...greeting, digest: computeDigest(asked) } : greeting)}\n`;
  const start = `${JSON.stringify({ ...greeting, digest: computeDigest(asked) }).slice(0, -1)},"fill":"`;
  return `${padToLength(start, token, length - 3)}"}\n`;
}

function noteHeard(token: string): void {
  const count = (heard.get(token) ?? 0) + 1;
  heard.delete(token);
  heard.set(token, count);
  const [oldest] = heard.keys();
  if (heard.size > MOST_TOKENS && oldest !== undefined) heard.delete(oldest);
}

/**
 * A socket an address, as servers on hosts with several addresses do: one on the wildcard would answer from whatever
 * address the route to the client prefers, and the client would not know it.
 */
function answerUdp(address: string, port: number, greet: Greet): void {
  const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
  udp.on("error", (error) => process.stderr.write(`udp ${address}: ${error.message}\n`)); // the next datagram is another
  udp.on("message", (asked, from) => {
    noteHeard(findToken(asked.toString()));
    udp.send(greet(from.address, asked.toString()), from.port, from.address);
  });
  udp.bind(port, address);
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, scopeid }) => family === "IPv4" || scopeid === 0) // link-local ones need a zone
    .map(({ address }) => address);
}
