/**
 * A node's own look at its pods, as kubelet's: started in the machine's network namespace by plain node, one for each
 * machine. Reads a JSON line for each probe, answers a JSON line each; ends with its stdin.
 */
import { get } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";

interface Request {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Absent: a TCP connection is enough. */
  readonly path?: string;
  readonly timeoutMs: number;
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const request = JSON.parse(line) as Request; // its only writer is the node runner
  void (request.path === undefined ? tcp(request) : http(request, request.path)).then((ok) => {
    process.stdout.write(`${JSON.stringify({ id: request.id, ok })}\n`);
  });
});
lines.on("close", () => process.exit(0));

function tcp({ host, port, timeoutMs }: Request): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (ok: boolean) => () => {
      socket.destroy();
      resolve(ok);
    };
    socket.on("connect", end(true)).on("timeout", end(false)).on("error", end(false));
  });
}

function http({ host, port, timeoutMs }: Request, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    request
      .on("timeout", () => {
        request.destroy();
        resolve(false);
      })
      .on("error", () => {
        resolve(false);
      });
  });
}
