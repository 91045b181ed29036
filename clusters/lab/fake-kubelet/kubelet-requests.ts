import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { buildMachineCommand } from "../nsenter.ts";
import { getLabFiles } from "../machines/machine-addresses.ts";
import { readState } from "../plan.ts";

/** Kubernetes' remote command protocols over WebSocket (k8s.io/apimachinery, util/remotecommand), the wanted one first. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/** The first byte of each message. CLOSE is v5's: its second byte names the stream that has ended. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => PROTOCOLS.find((one) => offered.has(one)) ?? false,
});

/** `exec`: runs the program in the container, its streams as channels of the connection, whose end is the program's. */
export function serveExec(directory: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  sockets.handleUpgrade(request, socket, head, (connection) => {
    void startExec(directory, request.url ?? "", connection).catch((error: unknown) => {
      finishExec(connection, { message: error instanceof Error ? error.message : String(error) });
    });
  });
}

async function startExec(directory: string, url: string, connection: WebSocket): Promise<void> {
  const early: Buffer[] = [];
  const hold = (message: Buffer): void => void early.push(message);
  connection.on("message", hold);
  const { verb, pod, query } = parseKubeletUrl(url);
  const running = (await readState(getLabFiles(directory).state)).pods[pod];
  if (verb !== "exec") throw new Error(`the lab's nodes do not know the request ${verb}`);
  if (running === undefined) throw new Error(`pod ${pod} does not run here`);
  const [file = "", ...argv] = buildMachineCommand(running.pid, query.getAll("command"));
  const child = spawn(file, argv, { env: running.env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined); // it has ended without reading all
  const take = (message: Buffer): void => {
    if (message[0] === CHANNEL.stdin) child.stdin.write(message.subarray(1));
    if (message[0] === CHANNEL.close && message[1] === CHANNEL.stdin) child.stdin.end();
  };
  connection.off("message", hold).on("message", take);
  for (const message of early) take(message);
  if (query.get("input") !== "1") child.stdin.end();
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => {
      connection.send(Buffer.concat([Buffer.of(CHANNEL[name]), chunk]));
    });
  connection.on("close", () => child.kill("SIGKILL"));
  child.on("error", (error) => {
    finishExec(connection, { message: error.message });
  });
  child.on("close", (code) => {
    finishExec(
      connection,
      code === 0 ? undefined : { message: `command terminated with exit code ${code ?? 137}`, code },
    );
  });
}

/** The last word, a `v1.Status`, as kubelet gives it. */
function finishExec(
  connection: WebSocket,
  failure?: { readonly message: string; readonly code?: number | null },
): void {
  const causes = [{ reason: "ExitCode", message: String(failure?.code ?? 137) }];
  const status =
    failure === undefined
      ? { metadata: {}, status: "Success" }
      : {
          metadata: {},
          status: "Failure",
          message: failure.message,
          ...(failure.code === undefined
            ? { reason: "InternalError", code: 500 }
            : { reason: "NonZeroExitCode", details: { causes } }),
        };
  connection.send(Buffer.concat([Buffer.of(CHANNEL.status), Buffer.from(JSON.stringify(status))]), () => {
    connection.close(1000);
  });
}

/** What a container has written, or its last `tailLines` of it; nothing is followed. */
export async function readContainerLog(
  directory: string,
  url: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { verb, pod, container, query } = parseKubeletUrl(url);
  if (verb !== "containerLogs" || query.get("follow") === "true")
    return { status: 404, text: `the lab's nodes know exec over WebSocket, and logs that are not followed\n` };
  const text = await readFile(join(directory, "logs", pod.replace("/", "_"), `${container}.log`), "utf8").catch(
    () => undefined,
  );
  if (text === undefined) return { status: 404, text: `pod ${pod} has no log of ${container} here\n` };
  const most = query.get("tailLines");
  const lines = text.split(/(?<=\n)/);
  return { status: 200, text: (most === null ? lines : lines.slice(-Number(most))).join("") };
}

/** `/exec/NAMESPACE/POD/CONTAINER?command=…`, as the API server asks kubelets. Throws on a name that is a path. */
function parseKubeletUrl(url: string) {
  const { pathname, searchParams: query } = new URL(url, "https://node");
  const [, verb = "", namespace = "", name = "", ...rest] = pathname.split("/").map(decodeURIComponent);
  const container = rest.at(-1) ?? "";
  if (![namespace, name, container].every((part) => /^[a-z0-9][-.a-z0-9]*$/.test(part)))
    throw new Error(`${pathname} names no container`);
  return { verb, pod: `${namespace}/${name}`, container, query };
}
