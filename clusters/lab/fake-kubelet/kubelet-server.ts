/**
 * Serves kubelet's port on one node: `exec` and logs, for the API server alone. Runs in the machine's network namespace with
 * the host's files. Started by plain node: kubelet-server DIRECTORY PKI_DIRECTORY.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { API_SERVER_CLIENT, KUBELET_PORT } from "../control-plane/identities.ts";

const [directory = "", pkiDirectory = ""] = process.argv.slice(2);
const readPkiFile = (name: string) => readFileSync(join(pkiDirectory, name));

const server = createServer(
  {
    cert: readPkiFile("kubelet.crt"),
    key: readPkiFile("kubelet.key"),
    ca: readPkiFile("ca.crt"),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    const respond = async (): Promise<void> => {
      const { readContainerLog } = await import("./kubelet-requests.ts");
      const { status, text } = isApiServer(request.socket)
        ? await readContainerLog(directory, request.url ?? "")
        : { status: 403, text: "forbidden: only the API server may use this port\n" };
      response.writeHead(status, { "content-type": "text/plain" }).end(text);
    };
    void respond().catch((error: unknown) => {
      response.writeHead(500).end(`${String(error)}\n`);
    });
  },
);
server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => undefined); // the client closed the connection
  if (!isApiServer(request.socket)) {
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    return;
  }
  // Loaded with the first request: a lab of ten nodes starts ten of these programs.
  void import("./kubelet-requests.ts").then(({ serveExec }) => {
    serveExec(directory, request, socket, head);
  });
});
server.listen(KUBELET_PORT, "::");

/** Whether the client is the API server. TLS has checked that the lab's CA signed its certificate. */
function isApiServer(socket: unknown): boolean {
  return (socket as TLSSocket).getPeerCertificate().subject.CN === API_SERVER_CLIENT;
}
