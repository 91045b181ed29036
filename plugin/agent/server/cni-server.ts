import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { RunStandaloneError } from "../../cni/cni-call.ts";
import { type CniResponse, answerCni, type CallOptions } from "../../cni/run-cni.ts";
import { IPAM_PLUGIN } from "../../ipam/ipam-log.ts";
import type { Paths } from "../../cni/plugin-paths.ts";
import { answerVersion } from "../../cni/cni-version.ts";
import { createOwnDirectory } from "../../state/own-files.ts";
import {
  type CniRequestFrame,
  decodeRequest,
  encodeFallback,
  encodeResponse,
  LENGTH_BYTES,
  MAX_REQUEST_BYTES,
  readFileIdentity,
} from "../../cni/protocol/cni-protocol.ts";

interface CniServerOptions {
  readonly path: string;
  /** Paths of the facts, records and log of the served calls. */
  readonly paths: Paths;
  readonly beforeStep?: CallOptions["beforeStep"];
  /** Serves calls of interlay-ipam; if undefined, they are declined. */
  readonly ipam?: (env: CniRequestFrame["env"], stdin: string) => Promise<CniResponse>;
}

/**
 * Serves the launcher's CNI calls in this process, which saves the start of a JavaScript runtime per call. Calls that cannot be
 * served at once, or that come from another network namespace than the node's, run standalone. Replaces a previous agent's socket.
 */
export function serveCni(options: CniServerOptions): Promise<Server> {
  const { path } = options;
  createOwnDirectory(dirname(path));
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    receiveRequest(socket, (bytes) => {
      answerRequest(decodeRequest(bytes), options).then(
        ({ reply, after }) => {
          socket.end(reply);
          if (after !== undefined) setImmediate(after); // after the response was sent
        },
        () => socket.end(encodeFallback()),
      );
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

/** Receives one complete request. Closes the connection if the request is too long. */
function receiveRequest(socket: Socket, onRequest: (bytes: Buffer) => void): void {
  let received: Buffer = Buffer.alloc(0);
  let isComplete = false;
  socket.on("error", () => {
    socket.destroy(); // the launcher has ended
  });
  socket.on("data", (chunk: Buffer) => {
    if (isComplete) return;
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length < LENGTH_BYTES) return;
    const length = received.readUInt32LE(0);
    if (length > MAX_REQUEST_BYTES) socket.destroy();
    else if (received.length >= LENGTH_BYTES + length) {
      isComplete = true;
      onRequest(received.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    }
  });
}

async function answerRequest(
  frame: CniRequestFrame | undefined,
  options: CniServerOptions,
): Promise<{ readonly reply: Buffer; readonly after?: () => void }> {
  if (frame === undefined) return { reply: encodeFallback() };
  const { env, stdin, name } = frame;
  if (env["CNI_COMMAND"] === "VERSION") return { reply: encodeResponse(0, JSON.stringify(answerVersion(stdin))) };
  // An allocation does not depend on network namespaces.
  if ((name !== IPAM_PLUGIN && !isFromNodeNamespace(frame)) || isStale(frame)) return { reply: encodeFallback() };
  const { status, output, after } = await executeRequest(name, env, stdin, options);
  return { reply: encodeResponse(status, output), after };
}

function executeRequest(
  name: string,
  env: CniRequestFrame["env"],
  stdin: string,
  { paths, beforeStep, ipam }: CniServerOptions,
): CniResponse | Promise<CniResponse> {
  if (name !== IPAM_PLUGIN)
    return answerCni(env, () => stdin, {
      mode: "agent",
      paths,
      started: performance.now(),
      ...(beforeStep === undefined ? {} : { beforeStep }),
    });
  if (ipam === undefined) throw new RunStandaloneError("this agent has no allocator");
  return ipam(env, stdin);
}

/** Reports whether a call comes from the node's network namespace, and CNI_NETNS is the same file here: the agent's mounts may differ. */
function isFromNodeNamespace({ ownNetns, podNetns, env }: CniRequestFrame): boolean {
  return ownNetns === readFileIdentity("/proc/self/ns/net") && podNetns === readFileIdentity(env["CNI_NETNS"] ?? "");
}

/**
 * Reports whether the launcher may have stopped waiting for a call. After a pause of the agent such calls have already run standalone and
 * must not run again.
 */
function isStale({ startedMs, timeoutMs }: CniRequestFrame): boolean {
  return !(Date.now() - startedMs < timeoutMs / 2);
}
