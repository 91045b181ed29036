import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Keeps a server that listens on 127.0.0.1 until SIGINT or SIGTERM, then closes it with its connections.
 * @param onReady called with the URL
 */
export async function serveUntilSignal(server: Server, onReady: (url: string) => void): Promise<void> {
  onReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        resolve();
      });
  });
  server.close();
  server.closeAllConnections();
}
