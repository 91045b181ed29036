import { createServer, type Server } from "node:http";

const HEALTH_PORT = 9810;
const RETRY_MS = 200;

/**
 * Serves `/healthz`, `/readyz` and `/metrics`.
 * @param notReady lists why pods cannot be attached; empty if the agent is ready
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
  return listenWhenFree(server, bind);
}

/** Listens once the port is free: during an update the previous agent on this node may still have it. */
function listenWhenFree(server: Server, bind: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") setTimeout(listen, RETRY_MS);
      else reject(error);
    });
    const listen = (): void => {
      server.listen(HEALTH_PORT, bind);
    };
    server.once("listening", () => {
      resolve(server);
    });
    listen();
  });
}
