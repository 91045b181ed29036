import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while no other process runs work under the same lock file. The file holds the owner's pid: a lock whose
 * owner is gone (killed half-way) is taken over.
 */
export async function withLock<T>(file: string, onWait: (owner: number) => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  for (let told = false; ;) {
    const owner = await tryLock(file);
    if (owner === undefined) break;
    if (!told) onWait(owner);
    told = true;
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** Undefined: the lock is ours. Else the pid of who has it. */
async function tryLock(file: string): Promise<number | undefined> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const owner = Number(await readFile(file, "utf8").catch(() => ""));
  if (owner !== 0 && isAlive(owner)) return owner;
  await rm(file, { force: true });
  return tryLock(file);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
