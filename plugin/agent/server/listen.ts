import type { Server } from "node:net";
import { writeLog } from "../status/log.ts";

const RETRY_MS = 200;
/** An agent that is replaced frees its ports within its termination grace period, in milliseconds. */
const REPORT_AFTER_MS = 10_000;

/**
 * Listens once the port is free: during an update the previous agent on this node may still have it. A port that stays busy is
 * reported in the log, because pods get no address until then.
 */
export function listenWhenFree<T extends Server>(server: T, port: number, host: string): Promise<T> {
  const started = performance.now();
  let isReported = false;
  return new Promise((resolve, reject) => {
    const listen = (): void => {
      server.listen(port, host);
    };
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") {
        reject(error);
        return;
      }
      if (!isReported && performance.now() - started > REPORT_AFTER_MS) {
        isReported = true;
        writeLog(
          "error",
          "a port of the agent is busy: no pod gets an address until it is free or another one is set",
          {
            host,
            port,
          },
        );
      }
      setTimeout(listen, RETRY_MS);
    });
    server.once("listening", () => {
      resolve(server);
    });
    listen();
  });
}
