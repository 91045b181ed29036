import { chmodSync, mkdirSync, rmSync, statSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { RunStandaloneError } from "../../cni/cni-call.ts";
import { type CniResponse, answerCni, type CallOptions } from "../../cni/run-cni.ts";
import type { Paths } from "../../cni/paths.ts";
import { answerVersion } from "../../cni/version.ts";
import { type CallFrame, decodeCall, encodeAlone, encodeAnswer, LENGTH_BYTES, REQUEST_MAX } from "./cni-protocol.ts";

/** In the agent's run directory, where the launcher looks for it: mode 0600, in a directory of mode 0700. */
export const CALL_SOCKET = "cni.sock";

export interface CallServerOptions {
  readonly path: string;
  /** Facts, records and log of the calls that are answered. */
  readonly places: Paths;
  readonly beforeStep?: CallOptions["beforeStep"];
  /** Answers calls of interlay-ipam; undefined: these are done alone. */
  readonly ipam?: (env: CallFrame["env"], stdin: string) => Promise<CniResponse>;
}

/**
 * Answers the launcher: ADD, DEL and the rest in this process, which is warm, so that a pod's start waits for no runtime's.
 * What cannot be answered at once, and what is not of this node's network, is left to the plugin alone. A socket that
 * another agent left is taken over.
 */
export function serveCalls(options: CallServerOptions): Promise<Server> {
  const { path } = options;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    receive(socket, (bytes) => {
      answer(decodeCall(bytes), options).then(
        ({ reply, after }) => {
          socket.end(reply);
          if (after !== undefined) setImmediate(after); // when it is out
        },
        () => socket.end(encodeAlone()),
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

/** One request, whole; who sends none, or too long a one, is not answered. */
function receive(socket: Socket, whole: (bytes: Buffer) => void): void {
  let got: Buffer = Buffer.alloc(0);
  let done = false;
  socket.on("error", () => {
    socket.destroy(); // the launcher is gone
  });
  socket.on("data", (chunk: Buffer) => {
    if (done) return;
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk]);
    if (got.length < LENGTH_BYTES) return;
    const length = got.readUInt32LE(0);
    if (length > REQUEST_MAX) socket.destroy();
    else if (got.length >= LENGTH_BYTES + length) {
      done = true;
      whole(got.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    }
  });
}

async function answer(
  frame: CallFrame | undefined,
  options: CallServerOptions,
): Promise<{ readonly reply: Buffer; readonly after?: () => void }> {
  if (frame === undefined) return { reply: encodeAlone() };
  const { env, stdin, name } = frame;
  if (env["CNI_COMMAND"] === "VERSION") return { reply: encodeAnswer(0, JSON.stringify(answerVersion(stdin))) };
  if (!isOurs(frame) || isStale(frame)) return { reply: encodeAlone() };
  const { status, output, after } = await dispatch(name, env, stdin, options);
  return { reply: encodeAnswer(status, output), after };
}

function dispatch(
  name: string,
  env: CallFrame["env"],
  stdin: string,
  { places, beforeStep, ipam }: CallServerOptions,
): CniResponse | Promise<CniResponse> {
  if (name !== "interlay-ipam")
    return answerCni(env, () => stdin, {
      mode: "agent",
      paths: places,
      started: performance.now(),
      ...(beforeStep === undefined ? {} : { beforeStep }),
    });
  if (ipam === undefined) throw new RunStandaloneError("no addresses are given here");
  return ipam(env, stdin);
}

/** Made on this node's network, for a namespace that is the same file here: the agent may have other mounts. */
function isOurs({ ownNetns, podNetns, env }: CallFrame): boolean {
  return ownNetns === identity("/proc/self/ns/net") && podNetns === identity(env["CNI_NETNS"] ?? "");
}

function identity(path: string): string {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? "" : `${stat.dev}:${stat.ino}`;
  } catch {
    return "";
  }
}

/**
 * An agent that was held for a while finds calls whose launcher will not wait for the answer, or has gone: by then the plugin
 * alone may have done the call, and the next one.
 */
function isStale({ began, patience }: CallFrame): boolean {
  return !(Date.now() - began < patience / 2);
}
