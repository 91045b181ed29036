import { createServer, type Server } from "node:http";

export const HEALTH_PORT = 9810;

/**
 * `/healthz`, `/readyz` and `/metrics`.
 * @param notReady why pods cannot be wired; empty: ready
 * @param metrics Prometheus' text format
 */
export function serveHealth(
  notReady: () => readonly string[],
  metrics: () => string = () => "",
  bind = process.env["METRICS_BIND"] ?? "127.0.0.1",
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
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(metrics());
        return;
      default:
        response.writeHead(404).end();
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(HEALTH_PORT, bind, () => {
      resolve(server);
    });
  });
}
