import { constants } from "node:os";
import { join } from "node:path";
import type { StdioOptions } from "node:child_process";
import { $, type ProcessPromise } from "zx";

// Importing this module configures zx: it prints neither commands nor their output.
$.quiet = true;
$.verbose = false;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const REPOSITORY = join(import.meta.dirname, "..");

interface ScriptOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdio?: StdioOptions;
}

/** Starts a TypeScript file of this repository, like `scripts/e2e.ts`, in a new process group. */
export function startScript(script: string, argv: readonly string[], options: ScriptOptions = {}): ProcessPromise {
  const { env = process.env, stdio = "inherit" } = options;
  return $({
    nothrow: true,
    quiet: true,
    detached: true,
    env,
    stdio,
  })`${process.execPath} --import tsx ${join(REPOSITORY, script)} ${argv}`;
}

/**
 * Waits until a program has ended. Meanwhile SIGINT and SIGTERM do not end this process: they are sent once to the program's
 * process group.
 *
 * @param stop sends SIGTERM to the process group when it is aborted
 * @returns the exit status; 128 plus the signal's number after a signal, and 127 if the program could not be started
 */
export async function waitForExit(program: ProcessPromise, stop?: AbortSignal): Promise<number> {
  const forward = (signal: NodeJS.Signals): void => {
    signalGroup(program.child?.pid, signal);
  };
  const onStop = (): void => {
    forward("SIGTERM");
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  stop?.addEventListener("abort", onStop);
  if (stop?.aborted === true) onStop();
  try {
    const { exitCode, signal } = await program.nothrow();
    return exitCode ?? (signal === null ? 127 : 128 + constants.signals[signal]);
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward);
    stop?.removeEventListener("abort", onStop);
  }
}

/** Sends a signal to a process group that may have ended. @param pid process that leads the group */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
