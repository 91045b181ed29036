import type { Socket } from "node:net";

/** Connects two sockets in both directions. An error of one destroys both. */
export function pipeSockets(client: Socket, server: Socket): void {
  client.pipe(server).pipe(client);
  for (const socket of [client, server])
    socket.on("error", () => {
      client.destroy();
      server.destroy();
    });
}
