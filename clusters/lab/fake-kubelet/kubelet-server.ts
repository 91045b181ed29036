/**
 * A kubelet's port on one node: programs in its containers and their logs, for the API server and nobody else. Runs in
 * the machine's network namespace, with this computer's files. Started by plain node: kubelet DIRECTORY KEYS.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { API_SERVER_CLIENT, KUBELET_PORT } from "../control-plane/component-arguments.ts";

const [directory = "", keys = ""] = process.argv.slice(2);
const key = (name: string) => readFileSync(join(keys, name));

const server = createServer(
  { cert: key("kubelet.crt"), key: key("kubelet.key"), ca: key("ca.crt"), requestCert: true, rejectUnauthorized: true },
  (request, response) => {
    const answer = async (): Promise<void> => {
      const { readContainerLog } = await import("./kubelet-requests.ts");
      const { status, text } = mayAsk(request.socket)
        ? await readContainerLog(directory, request.url ?? "")
        : { status: 403, text: "only the API server may ask\n" };
      response.writeHead(status, { "content-type": "text/plain" }).end(text);
    };
    void answer().catch((error: unknown) => {
      response.writeHead(500).end(`${String(error)}\n`);
    });
  },
);
server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => undefined); // whoever asked has gone
  if (!mayAsk(request.socket)) {
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    return;
  }
  // Loaded when first asked for: a lab of ten nodes starts ten of these.
  void import("./kubelet-requests.ts").then(({ serveExec }) => {
    serveExec(directory, request, socket, head);
  });
});
server.listen(KUBELET_PORT, "::");

/** TLS has seen to it that the lab's CA has signed the certificate; it signs others', too. */
function mayAsk(socket: unknown): boolean {
  return (socket as TLSSocket).getPeerCertificate().subject.CN === API_SERVER_CLIENT;
}
