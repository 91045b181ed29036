import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { findBun } from "../../../plugin/deploy/compile.ts";

export const agentSettings = z.object({ kubeconfig: z.string(), nodes: z.array(z.string()) });
const agentCounts = z.object({
  requests: z.number(),
  /** Events of watches without bookmarks. */
  events: z.number(),
  eventBytes: z.number(),
});
export type AgentCounts = z.infer<typeof agentCounts>;

/** Simulated agents in a child process. */
export class SimulatedFleet {
  readonly #child: ChildProcess;
  readonly #next: () => Promise<unknown>;

  private constructor(child: ChildProcess, next: () => Promise<unknown>) {
    this.#child = child;
    this.#next = next;
  }

  /** Starts agents of these nodes at once, as a rollout does, and waits until each has listed every kind. */
  static async start(settings: z.infer<typeof agentSettings>): Promise<SimulatedFleet> {
    const child = spawn(findBun(), [join(import.meta.dirname, "simulated-agents.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => {
      const line = await lines.next();
      if (line.done === true) throw new Error("the simulated agents ended, see the output above");
      return JSON.parse(line.value);
    };
    child.stdin.write(`${JSON.stringify(settings)}\n`);
    await next();
    return new SimulatedFleet(child, next);
  }

  async readCounts(): Promise<AgentCounts> {
    this.#child.stdin?.write("counts\n");
    return agentCounts.parse(await this.#next());
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once("exit", () => {
        resolve();
      });
      this.#child.stdin?.end();
    });
  }
}
