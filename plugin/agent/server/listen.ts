import type { Server } from "node:net";
import { writeLog } from "../status/agent-log.ts";

const RETRY_MS = 200;
/** A replaced agent frees its ports within its termination grace period: a port that is busy for longer is reported. */
const REPORT_AFTER_MS = 10_000;

/** The port, and how long to wait for it. */
interface ListenOptions {
  readonly port: number;
  /** Address to listen on; undefined for all addresses. */
  readonly host: string | undefined;
  /** Milliseconds after which a busy port is reported. */
  readonly reportAfterMs?: number;
}

/**
 * Makes a server listen as soon as the port is free: during an update the previous agent of this node may still have it.
 *
 * @returns the server when it listens, or after `reportAfterMs` with an error in the log; it then still listens as soon as the
 * port is free
 * @throws for any other error than a busy port
 */
export function listenWhenFree<T extends Server>(
  server: T,
  { port, host, reportAfterMs = REPORT_AFTER_MS }: ListenOptions,
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
    }, reportAfterMs);
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
