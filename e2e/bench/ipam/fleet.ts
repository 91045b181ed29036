import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import { findBun } from "../../../plugin/deploy/compile.ts";
import { type WorkerMessage, type WorkerOrder, outcomeMessage, type WorkerOutcome } from "./orders.ts";

/** Number of processes: the processors of the smallest machine. */
const PROCESSES = 2;

interface WorkerProcess {
  readonly child: ChildProcess;
  readonly next: () => Promise<unknown>;
}

/** Simulated nodes in child processes; all of them are ready and watch the API server. */
export class NodeFleet {
  readonly #processes: readonly WorkerProcess[];

  private constructor(processes: readonly WorkerProcess[]) {
    this.#processes = processes;
  }

  static async start({ nodes, ...settings }: WorkerMessage): Promise<NodeFleet> {
    const shares = Array.from({ length: Math.min(PROCESSES, nodes.length) }, (_, share) =>
      nodes.filter((_node, index) => index % PROCESSES === share),
    );
    const authority = await writeAuthority(settings);
    const processes = shares.map((share) => {
      const child = spawn(findBun(), [join(import.meta.dirname, "nodes.ts")], {
        // Bun reads certificates from this variable, and limits concurrent requests such as watches.
        env: { ...process.env, NODE_EXTRA_CA_CERTS: authority, BUN_CONFIG_MAX_HTTP_REQUESTS: "4096" },
        stdio: ["pipe", "pipe", "inherit"],
      });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const next = async (): Promise<unknown> => {
        const line = await lines.next();
        if (line.done === true) throw new Error("the simulated nodes ended, see the output above");
        return JSON.parse(line.value);
      };
      child.stdin.write(`${JSON.stringify({ ...settings, nodes: share })}\n`);
      return { child, next };
    });
    await Promise.all(processes.map(({ next }) => next()));
    return new NodeFleet(processes);
  }

  /** Allocates on all nodes at the same time. @returns the outcome, and milliseconds until the last address */
  async order(workerOrder: WorkerOrder): Promise<WorkerOutcome & { readonly milliseconds: number }> {
    const started = performance.now();
    for (const { child } of this.#processes) child.stdin?.write(`${JSON.stringify(workerOrder)}\n`);
    const outcomes = await Promise.all(this.#processes.map(async ({ next }) => outcomeMessage.parse(await next())));
    const milliseconds = performance.now() - started;
    return {
      given: outcomes.flatMap(({ given }) => given),
      failed: outcomes.flatMap(({ failed }) => failed),
      milliseconds,
    };
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#processes.map(
        ({ child }) =>
          new Promise<void>((resolve) => {
            child.once("exit", () => {
              resolve();
            });
            child.stdin?.end();
          }),
      ),
    );
  }
}

/** Writes the API server's certificate authority to a file. @returns its path */
async function writeAuthority({
  kubeconfig,
  directory,
}: Pick<WorkerMessage, "kubeconfig" | "directory">): Promise<string> {
  const config = loadKubeConfig({ kubeconfig });
  const file = join(directory, "ca.crt");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(file, Buffer.from(config.getCurrentCluster()?.caData ?? "", "base64"), { mode: 0o600 });
  return file;
}
