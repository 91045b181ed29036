import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Time after which a wait is reported. */
const REPORT_AFTER_MS = 300;

/**
 * Runs work while it holds a lock file, exclusively among processes and within this one. The kernel keeps the lock (flock(1),
 * held by a `cat` on a pipe of this process), so the lock of a killed owner is free at once. The file stays and contains the
 * pid of its last owner.
 *
 * @param onWait called with the owner's pid if the lock is taken
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
  // Detached: Ctrl-C in the terminal must not free the lock while this process cleans up.
  const holder = spawn("flock", ["--exclusive", "--no-fork", file, "cat"], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<string>((resolve) => {
    holder.on("error", (error) => {
      resolve(error.message);
    });
    holder.on("close", (code) => {
      resolve(`exit code ${String(code)}`);
    });
  });
  holder.stdin.on("error", () => undefined); // EPIPE: `ended` has the reason
  holder.stdin.write("\n"); // cat returns it as soon as the lock is held
  const held = new Promise<"held">((resolve) =>
    holder.stdout.once("data", () => {
      resolve("held");
    }),
  );
  const first = await Promise.race([held, ended, sleep(REPORT_AFTER_MS, "waiting", { ref: false })]);
  if (first === "waiting") onWait(Number(await readFile(file, "utf8").catch(() => "0")));
  const outcome = await Promise.race([held, ended]);
  if (outcome !== "held") throw new Error(`Cannot lock ${file} with flock: ${outcome}.`);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
