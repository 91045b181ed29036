import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { createInterface } from "node:readline";
import {
  computeDigest,
  padToLength,
  isFlow,
  formatProbeMark,
  readLargeLength,
  TCP_PORT,
  findToken,
} from "./protocol.ts";

/** Number of received datagrams by token, for the newest tokens; requests with the question `heard` read it. */
const requestCounts = new Map<string, number>();
const MOST_TOKENS = 10_000;

/** Returns the answer for a client's address and its request. */
type Greet = (seen: string, request: string) => string;

/** Answers TCP and UDP with the pod's name and the client's address, so that an answer from the wrong pod is recognised. */
export function startProbeServer(): void {
  const server = process.env["PROBE_NAME"] ?? hostname();
  const port = Number(process.env["PROBE_PORT"] ?? TCP_PORT);
  const greet: Greet = (seen, request) => writeAnswer(server, seen.replace(/^::ffff:/, ""), request);
  createServer((socket) => {
    const seen = socket.remoteAddress ?? "";
    const lines = createInterface({ input: socket });
    // The client may vanish; the line reader emits errors of its input too.
    for (const emitter of [socket, lines]) emitter.on("error", () => undefined);
    lines.on("line", (request) => {
      if (isFlow(request)) socket.write(greet(seen, request));
      else socket.end(greet(seen, request));
    });
  }).listen(port, "::");
  for (const address of listOwnAddresses()) answerUdp(address, port, greet);
  process.on("SIGTERM", () => process.exit(0));
}

function writeAnswer(server: string, seen: string, request: string): string {
  const token = findToken(request);
  const greeting = { mark: formatProbeMark("reply", token), server, seen };
  if (request.startsWith("heard ")) return `${JSON.stringify({ ...greeting, heard: requestCounts.get(token) ?? 0 })}\n`;
  const length = readLargeLength(request);
  if (length === undefined)
    return `${JSON.stringify(isFlow(request) ? { ...greeting, digest: computeDigest(request) } : greeting)}\n`;
  const start = `${JSON.stringify({ ...greeting, digest: computeDigest(request) }).slice(0, -1)},"fill":"`;
  return `${padToLength(start, token, length - 3)}"}\n`;
}

function countDatagram(token: string): void {
  const count = (requestCounts.get(token) ?? 0) + 1;
  requestCounts.delete(token);
  requestCounts.set(token, count);
  const [oldest] = requestCounts.keys();
  if (requestCounts.size > MOST_TOKENS && oldest !== undefined) requestCounts.delete(oldest);
}

/**
 * Opens a socket for each address: a socket on the wildcard address would answer from the address that the route to the client
 * prefers, which the client does not expect.
 */
function answerUdp(address: string, port: number, greet: Greet): void {
  const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
  udp.on("error", (error) => process.stderr.write(`udp ${address}: ${error.message}\n`)); // a later datagram may be answered
  udp.on("message", (request, from) => {
    countDatagram(findToken(request.toString()));
    udp.send(greet(from.address, request.toString()), from.port, from.address);
  });
  udp.bind(port, address);
}

function listOwnAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, scopeid }) => family === "IPv4" || scopeid === 0) // link-local ones need a zone
    .map(({ address }) => address);
}
