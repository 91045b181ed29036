import { createServer, type Server } from "node:http";
import { listenWhenFree } from "./listen.ts";
import { METRICS_CONTENT_TYPE } from "./metrics-server.ts";

const LOOPBACK = "127.0.0.1";

/**
 * Serves `/healthz`, `/readyz` and `/metrics` on 127.0.0.1.
 * @param notReady lists why pods cannot be attached; empty if the agent is ready
 * @param renderText returns Prometheus' text format
 */
export function serveHealth(
  port: number,
  notReady: () => readonly string[],
  renderText: () => Promise<string>,
): Promise<Server> {
  const server = createServer((request, response) => {
    switch (request.url) {
      case "/healthz":
        response.end("ok\n");
        return;
      case "/readyz": {
        const reasons = notReady();
        response
          .writeHead(reasons.length === 0 ? 200 : 503)
          .end(`${["not ready", ...reasons].slice(reasons.length === 0 ? 1 : 0).join("\n") || "ok"}\n`);
        return;
      }
      case "/metrics":
        void renderText().then(
          (text) => response.writeHead(200, { "content-type": METRICS_CONTENT_TYPE }).end(text),
          () => response.writeHead(500).end(),
        );
        return;
      default:
        response.writeHead(404).end();
    }
  });
  return listenWhenFree(server, port, LOOPBACK);
}
