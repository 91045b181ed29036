import { createServer, type Server, type ServerResponse } from "node:http";
import { listenWhenFree } from "./listen.ts";
import { METRICS_CONTENT_TYPE } from "./metrics-server.ts";

/** Address of the server, and functions that supply its responses. */
export interface HealthOptions {
  readonly port: number;
  /** Address to listen on; undefined for all addresses. */
  readonly host: string | undefined;
  /** Lists the loops that do not progress: if there are any, `/healthz` fails and the kubelet restarts the container. */
  readonly listStalls: () => readonly string[];
  /** Lists the reasons why the process is not ready: `/readyz` fails if there are any. */
  readonly listProblems: () => readonly string[];
  /** Returns the metrics in Prometheus' text format; if undefined, this port does not serve `/metrics`. */
  readonly renderText?: () => Promise<string>;
}

/** Serves `/healthz`, `/readyz` and, with `renderText`, `/metrics`. @returns the server, see listenWhenFree */
export function serveHealth({ port, host, listStalls, listProblems, renderText }: HealthOptions): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === "/healthz") answerProbe(response, "stalled", listStalls());
    else if (request.url === "/readyz") answerProbe(response, "not ready", listProblems());
    else if (request.url === "/metrics" && renderText !== undefined)
      void renderText().then(
        (text) => response.writeHead(200, { "content-type": METRICS_CONTENT_TYPE }).end(text),
        () => response.writeHead(500).end(),
      );
    else response.writeHead(404).end();
  });
  return listenWhenFree(server, { port, host });
}

function answerProbe(response: ServerResponse, title: string, reasons: readonly string[]): void {
  if (reasons.length === 0) response.end("ok\n");
  else response.writeHead(503).end(`${[title, ...reasons].join("\n")}\n`);
}
