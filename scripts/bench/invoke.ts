import { spawn } from "node:child_process";
import type { Invocation, TestNode } from "../../plugin/testing/node.ts";

/** A call's duration in ms from start to end of the program, and its output. */
export interface Timed {
  readonly milliseconds: number;
  readonly status: number;
  readonly stdout: string;
}

/**
 * Runs a plugin in the node's network namespace. nsenter becomes the plugin: it costs each plugin the same millisecond,
 * so ratios are told as worse than they are, never better. Without a node: the program alone.
 */
export function invoke({ executable, env, input }: Invocation, node?: TestNode): Promise<Timed> {
  const argv = node === undefined ? [executable] : ["nsenter", `--net=/var/run/netns/${node.name}`, executable];
  const [file = "", ...rest] = argv;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(file, rest, { env, stdio: ["pipe", "pipe", "inherit"] });
    let ended = started;
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.on("error", reject);
    child.on("exit", () => (ended = performance.now()));
    child.on("close", (status) => {
      resolve({ milliseconds: ended - started, status: status ?? -1, stdout });
    });
    // A plugin may answer VERSION without reading what it is told.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
