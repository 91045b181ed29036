import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A container's first process and those that it started. */
export class RunningContainer {
  readonly env: Readonly<Record<string, string>>;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;

  /** @param log file that stdout and stderr are added to */
  constructor(argv: readonly string[], env: Readonly<Record<string, string>>, log: string) {
    const [file = "", ...rest] = argv;
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    const output = openSync(log, "a", 0o600);
    this.env = env;
    this.#child = spawn(file, rest, { env, stdio: ["ignore", output, output], detached: true });
    closeSync(output);
    this.ended = new Promise((resolve) => {
      this.#child.on("error", () => {
        resolve(127);
      });
      this.#child.on("exit", (code, signal) => {
        this.#signal("SIGKILL"); // what it started goes with it
        resolve(code ?? (signal === "SIGTERM" ? 143 : 137));
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** SIGTERM, and after so long SIGKILL. */
  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      this.#signal("SIGTERM");
      await Promise.race([this.ended, sleep(graceMs, undefined, { ref: false })]);
    }
    this.#signal("SIGKILL");
    await this.ended;
  }

  /** Its process group: it leads one. */
  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // gone already
    }
  }
}
