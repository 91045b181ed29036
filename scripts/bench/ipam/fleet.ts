import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type Crew, type Order, outcome, type Outcome } from "./orders.ts";

/** As many as the smallest machine has processors. */
const PROCESSES = 2;

interface CrewProcess {
  readonly child: ChildProcess;
  readonly next: () => Promise<unknown>;
}

/** Simulated nodes in some processes, all ready and following. */
export class Fleet {
  readonly #crews: readonly CrewProcess[];

  private constructor(crews: readonly CrewProcess[]) {
    this.#crews = crews;
  }

  static async start({ nodes, ...rest }: Crew): Promise<Fleet> {
    const shares = Array.from({ length: Math.min(PROCESSES, nodes.length) }, (_, share) =>
      nodes.filter((_node, index) => index % PROCESSES === share),
    );
    const bun = join(dirname(createRequire(import.meta.url).resolve("bun/package.json")), "bin", "bun.exe");
    const crews = shares.map((share) => {
      const child = spawn(bun, [join(import.meta.dirname, "nodes.ts")], { stdio: ["pipe", "pipe", "inherit"] });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const next = async (): Promise<unknown> => {
        const line = await lines.next();
        if (line.done === true) throw new Error("the simulated nodes ended: what they said is above.");
        return JSON.parse(line.value);
      };
      child.stdin.write(`${JSON.stringify({ ...rest, nodes: share })}\n`);
      return { child, next };
    });
    await Promise.all(crews.map(({ next }) => next()));
    return new Fleet(crews);
  }

  /** All nodes at once. @returns milliseconds from the order to the last node's last answer */
  async order(what: Order): Promise<Outcome & { readonly milliseconds: number }> {
    const started = performance.now();
    for (const { child } of this.#crews) child.stdin?.write(`${JSON.stringify(what)}\n`);
    const outcomes = await Promise.all(this.#crews.map(async ({ next }) => outcome.parse(await next())));
    const milliseconds = performance.now() - started;
    return {
      given: outcomes.flatMap(({ given }) => given),
      failed: outcomes.flatMap(({ failed }) => failed),
      milliseconds,
    };
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#crews.map(
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
