import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getErrorMessage } from "../../../../plugin/errors/error-message.ts";
import { renderClusterPage, renderTables } from "./cluster-page.ts";
import type { ClusterView } from "./cluster-view.ts";

const LOOPBACK = "127.0.0.1";
const DEFAULT_PORT = "8080";

/** Functions that read the cluster for the server. */
export interface UiSource {
  readonly readView: () => Promise<ClusterView>;
  /** Computes the path of a TCP connection between two pods, as text. */
  readonly tracePods: (from: string, to: string, port: number) => Promise<string>;
}

/** An error with the HTTP status of the response. */
class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts the server of the page on the loopback address. @param port 0: any free port @returns the server once it listens */
export async function startUiServer(source: UiSource, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    answerRequest(source, request, response).catch((error: unknown) => {
      const status = error instanceof RefusedError ? error.status : 502;
      const headers = { "content-type": "text/plain; charset=utf-8" };
      if (response.headersSent) response.destroy();
      else response.writeHead(status, headers).end(`${getErrorMessage(error)}\n`);
    });
  }).listen(port, LOOPBACK);
  await once(server, "listening");
  return server;
}

async function answerRequest(source: UiSource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { port } = request.socket.address() as AddressInfo;
  // Otherwise a page of another site could read the cluster's state by a name that resolves to the loopback address.
  if (![`${LOOPBACK}:${port}`, `localhost:${port}`].includes(request.headers.host ?? ""))
    throw new RefusedError(421, "use the address that interlay ui prints");
  if (request.method !== "GET") throw new RefusedError(405, "only GET is answered");
  const { pathname, searchParams } = new URL(request.url ?? "/", `http://${LOOPBACK}`);
  if (pathname !== "/" && pathname !== "/live") throw new RefusedError(404, "not found");
  const view = await source.readView();
  if (pathname === "/live") {
    sendHtml(response, renderTables(view));
    return;
  }
  const [from, to] = [searchParams.get("from") ?? "", searchParams.get("to") ?? ""];
  const chosenPort = searchParams.get("port") ?? DEFAULT_PORT;
  const text = from === "" || to === "" ? undefined : await traceChosen(source, view, { from, to, port: chosenPort });
  sendHtml(response, renderClusterPage(view, { from, to, port: chosenPort, ...(text === undefined ? {} : { text }) }));
}

/** Traces a connection between two listed pods. @returns the trace, or why there is none */
async function traceChosen(
  { tracePods }: UiSource,
  { pods }: ClusterView,
  { from, to, port }: { readonly from: string; readonly to: string; readonly port: string },
): Promise<string> {
  const unknown = [from, to].find((name) => !pods.some((pod) => pod.name === name));
  if (unknown !== undefined) return `No pod ${unknown} runs.`;
  const number = Number(port);
  if (!/^\d+$/.test(port) || number < 1 || number > 65_535) return `Invalid port "${port}": use 1 to 65535.`;
  return tracePods(from, to, number).catch((error: unknown) => `The path cannot be traced: ${getErrorMessage(error)}`);
}

function sendHtml(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }).end(text);
}
