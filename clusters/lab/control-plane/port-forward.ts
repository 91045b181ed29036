/**
 * Forwards connections from a Unix socket to the API server. Runs in the network namespace of the control plane's machine:
 * Unix sockets work across network namespaces, so the daemon can offer the API server on the host's loopback.
 * Started by plain node: port-forward SOCKET PORT.
 */
import { connect, createServer } from "node:net";
import { pipeSockets } from "./pipe-sockets.ts";

process.umask(0o077);
const [socket = "", port = ""] = process.argv.slice(2);
createServer((client) => {
  pipeSockets(client, connect(Number(port), "127.0.0.1"));
}).listen(socket);
