import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A waiter reports that it waits after this time. */
const TELL_AFTER_MS = 300;

/**
 * Runs `work` while nobody else runs work under the same lock file: neither another process nor this one. The kernel
 * keeps the lock (flock(1), held by a `cat` on a pipe of ours), so one whose owner was killed is free at once. The
 * file stays; it names its last owner's pid, for `onWait`.
 */
export async function withLock<T>(file: string, onWait: (owner: number) => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const release = await acquireLock(file, onWait);
  try {
    await writeFile(file, String(process.pid), { mode: 0o600 });
    return await work();
  } finally {
    await release();
  }
}

async function acquireLock(file: string, onWait: (owner: number) => void): Promise<() => Promise<void>> {
  // Detached: a Ctrl-C in the terminal must not free the lock while our own clean-up still runs.
  const holder = spawn("flock", ["--exclusive", "--no-fork", file, "cat"], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<string>((resolve) => {
    holder.on("error", (error) => {
      resolve(error.message);
    });
    holder.on("close", (code) => {
      resolve(`it ended with ${String(code)}`);
    });
  });
  holder.stdin.on("error", () => undefined); // EPIPE: `ended` tells
  holder.stdin.write("\n"); // comes back when cat runs, which is when the lock is ours
  const held = new Promise<"held">((resolve) =>
    holder.stdout.once("data", () => {
      resolve("held");
    }),
  );
  const first = await Promise.race([held, ended, sleep(TELL_AFTER_MS, "waiting", { ref: false })]);
  if (first === "waiting") onWait(Number(await readFile(file, "utf8").catch(() => "0")));
  const outcome = await Promise.race([held, ended]);
  if (outcome !== "held") throw new Error(`The lock ${file} cannot be had by flock: ${outcome}.`);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
