import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Exit codes as a shell and a container runtime report them. */
const NOT_STARTED = 127;
const ENDED_BY_SIGTERM = 143;
const ENDED_BY_SIGKILL = 137;

/** A container's first process, and the processes that it started. */
export class RunningContainer {
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with the exit code when the process ends. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;

  /** @param log file to which stdout and stderr are appended */
  constructor(argv: readonly string[], env: Readonly<Record<string, string>>, log: string) {
    const [file = "", ...programArguments] = argv;
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    const output = openSync(log, "a", 0o600);
    this.env = env;
    this.#child = spawn(file, programArguments, { env, stdio: ["ignore", output, output], detached: true });
    closeSync(output);
    this.ended = new Promise((resolve) => {
      this.#child.on("error", () => {
        resolve(NOT_STARTED);
      });
      this.#child.on("exit", (code, signal) => {
        this.#signal("SIGKILL"); // ends the processes that it started
        resolve(code ?? (signal === "SIGTERM" ? ENDED_BY_SIGTERM : ENDED_BY_SIGKILL));
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends SIGTERM, and SIGKILL after the grace period. */
  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      this.#signal("SIGTERM");
      await Promise.race([this.ended, sleep(graceMs, undefined, { ref: false })]);
    }
    this.#signal("SIGKILL");
    await this.ended;
  }

  /** Signals the process group, whose leader is the first process. */
  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // the group has ended
    }
  }
}
