import type { Server } from "node:net";
import { writeLog } from "../status/agent-log.ts";

const RETRY_MS = 200;
/** An agent that is replaced frees its ports within its termination grace period, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Settings of a wait for a port. */
interface ListenOptions {
  readonly port: number;
  /** Undefined: all addresses. */
  readonly host: string | undefined;
  readonly patienceMs?: number;
}

/**
 * Listens once the port is free: during an update the previous agent on this node may still have it. A port that stays busy is
 * reported in the log, and holds up nothing: the server is returned, and listens as soon as the port is free.
 */
export function listenWhenFree<T extends Server>(
  server: T,
  { port, host, patienceMs = PATIENCE_MS }: ListenOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const listen = (): void => {
      server.listen(port, host);
    };
    let retry: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      writeLog("error", "a port is busy: health checks or metrics on it do not answer until it is free", {
        host,
        port,
      });
      resolve(server);
    }, patienceMs);
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") {
        retry = setTimeout(listen, RETRY_MS);
        return;
      }
      clearTimeout(timer);
      reject(error);
    });
    server.once("listening", () => {
      clearTimeout(timer);
      resolve(server);
    });
    server.once("close", () => {
      clearTimeout(timer);
      clearTimeout(retry);
    });
    listen();
  });
}
