import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { findBun } from "../../../plugin/deploy/compile.ts";
import type { Invocation, TestNode } from "../../../plugin/testing/invocation.ts";
import { decodeResult, type EncodedCall, type TimedCall } from "./timed-call.ts";

type Waiting = { readonly resolve: (timed: TimedCall) => void; readonly reject: (error: Error) => void };

/**
 * Starts plugins on a node from a process in the node's network, like a container runtime. The process is Bun, which uses vfork
 * as runtimes do; Node.js copies its page tables first, which takes a millisecond for each call.
 */
export class Runtime {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  constructor({ name }: TestNode) {
    const argv = [findBun(), join(import.meta.dirname, "runtime-process.ts")];
    this.#child = spawn("nsenter", [`--net=/var/run/netns/${name}`, ...argv], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message) => {
      const { id, result } = decodeResult.parse(message);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if ("error" in result) waiting?.reject(new Error(result.error));
      else waiting?.resolve(result);
    });
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the process that starts plugins on ${name} ended with ${String(code)}`));
    });
  }

  call({ executable, env, input }: Invocation): Promise<TimedCall> {
    const id = ++this.#calls;
    const definedEnv = Object.fromEntries(
      Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
    );
    const message: EncodedCall = { id, invocation: { executable, env: definedEnv, input } };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send(message, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  close(): void {
    this.#child.disconnect();
  }
}
