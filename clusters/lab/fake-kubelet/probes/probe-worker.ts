/**
 * Runs a node's probes of its pods, as kubelet does: one process for each machine, in the machine's network namespace.
 * Reads one probe as a JSON line from stdin, and writes its result as a JSON line; ends with its stdin.
 * Started by plain node.
 */
import { get } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";

interface ProbeRequest {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Absent: a TCP connection is enough. */
  readonly path?: string;
  readonly timeoutMs: number;
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const request = JSON.parse(line) as ProbeRequest; // written by node-prober.ts alone
  const result = request.path === undefined ? probeTcp(request) : probeHttp(request, request.path);
  void result.then((ok) => {
    process.stdout.write(`${JSON.stringify({ id: request.id, ok })}\n`);
  });
});
lines.on("close", () => process.exit(0));

function probeTcp({ host, port, timeoutMs }: ProbeRequest): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (ok: boolean) => () => {
      socket.destroy();
      resolve(ok);
    };
    socket.on("connect", end(true)).on("timeout", end(false)).on("error", end(false));
  });
}

function probeHttp({ host, port, timeoutMs }: ProbeRequest, path: string): Promise<boolean> {
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
