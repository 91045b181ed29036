import { chmod } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { NodeFaults } from "../provider/provider.ts";

/** A request to a lab's daemon: one JSON line on its control socket, answered by one JSON line; then the connection closes. */
const controlRequest = z.discriminatedUnion("action", [
  z.object({ action: z.literal("powerOff"), node: z.string() }),
  z.object({ action: z.literal("recreate"), node: z.string() }),
  z.object({ action: z.literal("pauseKubelet"), node: z.string(), milliseconds: z.number().min(0) }),
]);
type ControlRequest = z.infer<typeof controlRequest>;
const controlResponse = z.object({ error: z.string().optional() });

/** Serves requests on a Unix socket that only root can open. */
export async function serveControl(socket: string, faults: NodeFaults): Promise<Server> {
  const server = createServer((connection) => {
    connection.on("error", () => undefined); // the client closed the connection
    createInterface({ input: connection }).once("line", (line) => {
      void executeRequest(faults, line).then(
        () => connection.end(`${JSON.stringify({})}\n`),
        (error: unknown) => connection.end(`${JSON.stringify({ error: String(error) })}\n`),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await chmod(socket, 0o600);
  return server;
}

async function executeRequest(faults: NodeFaults, line: string): Promise<void> {
  const request = controlRequest.parse(JSON.parse(line));
  if (request.action === "pauseKubelet") await faults.pauseKubelet(request.node, request.milliseconds);
  else await faults[request.action](request.node);
}

/** Returns a client of `serveControl`. Its methods reject with the daemon's error. */
export function createControlClient(socket: string): NodeFaults {
  return {
    powerOff: (node) => sendRequest(socket, { action: "powerOff", node }),
    recreate: (node) => sendRequest(socket, { action: "recreate", node }),
    pauseKubelet: (node, milliseconds) => sendRequest(socket, { action: "pauseKubelet", node, milliseconds }),
  };
}

function sendRequest(socket: string, request: ControlRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(`${JSON.stringify(request)}\n`)).on("error", reject);
    let response = "";
    connection.on("data", (chunk: Buffer) => (response += chunk.toString()));
    connection.on("close", () => {
      const { error } =
        response === "" ? { error: "the lab's daemon did not answer" } : controlResponse.parse(JSON.parse(response));
      if (error === undefined) resolve();
      else reject(new Error(`${request.action} ${request.node}: ${error}`));
    });
  });
}
