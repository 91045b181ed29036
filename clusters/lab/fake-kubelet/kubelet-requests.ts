import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import { buildMachineCommand } from "../machines/nsenter.ts";
import { getLabFiles } from "../plan/lab-files.ts";
import { readState } from "../plan/lab-plan.ts";

/** Kubernetes' remote command protocols over WebSocket (k8s.io/apimachinery, util/remotecommand), the preferred one first. */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/** The first byte of each message. `close` exists in v5: the second byte is the stream that has ended. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
});

/**
 * Serves an `exec` request: runs the program in the container, with its streams as channels of the connection. The program
 * ends with the connection.
 */
export function serveExec(directory: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  sockets.handleUpgrade(request, socket, head, (connection) => {
    void startExec(directory, request.url ?? "", connection).catch((error: unknown) => {
      finishExec(connection, { message: getErrorMessage(error) });
    });
  });
}

async function startExec(directory: string, url: string, connection: WebSocket): Promise<void> {
  const earlyMessages: Buffer[] = [];
  const hold = (message: Buffer): void => void earlyMessages.push(message);
  connection.on("message", hold);
  const { verb, pod, query } = parseKubeletUrl(url);
  const running = (await readState(getLabFiles(directory).state)).pods[pod];
  if (verb !== "exec") throw new Error(`the lab's nodes do not support the request ${verb}`);
  if (running === undefined) throw new Error(`pod ${pod} does not run on this node`);
  const [file = "", ...argv] = buildMachineCommand(running.pid, query.getAll("command"));
  const child = spawn(file, argv, { env: running.env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined); // the program ended before it read everything
  const handle = (message: Buffer): void => {
    if (message[0] === CHANNEL.stdin) child.stdin.write(message.subarray(1));
    if (message[0] === CHANNEL.close && message[1] === CHANNEL.stdin) child.stdin.end();
  };
  connection.off("message", hold).on("message", handle);
  for (const message of earlyMessages) handle(message);
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

/** Sends the result as a `v1.Status`, as kubelet does, and closes the connection. */
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

/** Returns the response to a request for a container's log, or for its last `tailLines` lines. `follow` is not supported. */
export async function readContainerLog(
  directory: string,
  url: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { verb, pod, container, query } = parseKubeletUrl(url);
  if (verb !== "containerLogs" || query.get("follow") === "true")
    return { status: 404, text: `the lab's nodes support exec over WebSocket, and logs without follow\n` };
  const text = await readFile(join(directory, "logs", pod.replace("/", "_"), `${container}.log`), "utf8").catch(
    () => undefined,
  );
  if (text === undefined)
    return { status: 404, text: `container ${container} of pod ${pod} has no log on this node\n` };
  const tailLines = query.get("tailLines");
  const lines = text.split(/(?<=\n)/);
  return { status: 200, text: (tailLines === null ? lines : lines.slice(-Number(tailLines))).join("") };
}

/** Parses a path like `/exec/NAMESPACE/POD/CONTAINER?command=…`. @throws for a name that could be a file path */
function parseKubeletUrl(url: string) {
  const { pathname, searchParams: query } = new URL(url, "https://node");
  const [, verb = "", namespace = "", name = "", ...remainingParts] = pathname.split("/").map(decodeURIComponent);
  const container = remainingParts.at(-1) ?? "";
  if (![namespace, name, container].every((part) => /^[a-z0-9][-.a-z0-9]*$/.test(part)))
    throw new Error(`invalid path ${pathname}: want /REQUEST/NAMESPACE/POD/CONTAINER`);
  return { verb, pod: `${namespace}/${name}`, container, query };
}
