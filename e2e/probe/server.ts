import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { TCP_PORT, UDP_PORT } from "./protocol.ts";

/** Answers TCP and UDP with its own name and the address it saw: a reply from the wrong pod is told from the right one. */
export function serve(): void {
  const server = process.env["PROBE_NAME"] ?? hostname();
  const greet = (seen: string) => `${JSON.stringify({ server, seen: seen.replace(/^::ffff:/, "") })}\n`;
  createServer((socket) => {
    socket.on("error", () => undefined); // the other side is a test and may vanish
    socket.once("data", () => socket.end(greet(socket.remoteAddress ?? "")));
  }).listen(TCP_PORT, "::");
  const udp = createSocket({ type: "udp6" });
  udp.on("message", (_, from) => {
    udp.send(greet(from.address), from.port, from.address);
  });
  udp.bind(UDP_PORT);
  process.on("SIGTERM", () => process.exit(0));
}
