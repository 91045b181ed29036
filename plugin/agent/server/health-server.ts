import { createServer, type Server, type ServerResponse } from "node:http";
import { listenWhenFree } from "./listen.ts";
import { METRICS_CONTENT_TYPE } from "./metrics-server.ts";

/** State from which kubelet's probes are answered. */
export interface HealthOptions {
  readonly port: number;
  /** Undefined: all addresses. */
  readonly host: string | undefined;
  /** Lists work that does not progress; kubelet restarts the container while there is any. */
  readonly listStalls: () => readonly string[];
  /** Lists why the process is not ready; empty if it is. */
  readonly listProblems: () => readonly string[];
  /** Returns Prometheus' text format; undefined: no `/metrics` on this port. */
  readonly renderText?: () => Promise<string>;
}

/** Serves `/healthz` and `/readyz`, and `/metrics` where it is asked for. */
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
