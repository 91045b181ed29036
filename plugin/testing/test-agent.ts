import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import type { TestNode } from "./invocation.ts";

const START_MS = 20_000;
const PAUSE_MS = 10;

/**
 * A real agent in a test node's network namespace, without an API server: it serves calls and repairs attachments with the facts of the
 * node's file.
 */
export class TestAgent {
  readonly #node: TestNode;
  #child: ChildProcess | undefined;

  constructor(node: TestNode) {
    this.#node = node;
  }

  /**
   * @param fullPlugin the executable next to the launcher
   * @param wrapCommand returns the command that starts the agent, for example in another root directory
   */
  async start(
    fullPlugin: string,
    argv = this.#agentArguments(),
    env: NodeJS.ProcessEnv = {},
    wrapCommand = (command: readonly string[]): readonly string[] => command,
  ): Promise<void> {
    const { name, socket } = this.#node;
    rmSync(socket, { force: true });
    const kubeconfig = join(this.#node.runDirectory, "kubeconfig");
    writeFileSync(kubeconfig, KUBECONFIG);
    const [file = "", ...args] = wrapCommand(["nsenter", `--net=/var/run/netns/${name}`, fullPlugin, ...argv]);
    const child = spawn(file, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { PATH: process.env["PATH"], NODE_NAME: name, KUBECONFIG: kubeconfig, ...env },
    });
    this.#child = child;
    const deadline = Date.now() + START_MS;
    while (!(await acceptsConnections(socket))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the agent on ${name} did not start`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Process ID. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  #agentArguments(): readonly string[] {
    const { stateDirectory, runDirectory, binDirectory } = this.#node;
    const paths = { bin: binDirectory, state: stateDirectory, run: runDirectory, log: stateDirectory };
    return ["agent", ...Object.entries(paths).flatMap(([name, path]) => [`--${name}-directory`, path])];
  }
}

/** Tries to connect: the socket file exists before the agent listens. */
function acceptsConnections(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    const end = (connected: boolean): void => {
      connection.destroy();
      resolve(connected);
    };
    connection.once("connect", () => {
      end(true);
    });
    connection.once("error", () => {
      end(false);
    });
  });
}

/** An API server that does not listen. */
const KUBECONFIG = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "away", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "nobody", user: {} }],
  contexts: [{ name: "away", context: { cluster: "away", user: "nobody" } }],
  "current-context": "away",
});
