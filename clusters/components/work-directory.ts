import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";

/**
 * Calls a function with a temporary directory next to `target`. The directory is removed afterwards, and so are those that killed
 * runs left: the caller must hold a lock for `target`.
 *
 * @param createTarget must rename its complete result to `target`
 * @returns the result of `createTarget`
 */
export async function withWorkDirectory<T>(target: string, createTarget: (work: string) => Promise<T>): Promise<T> {
  const parent = dirname(target);
  const prefix = `${target}.unfinished-`;
  await mkdir(parent, { recursive: true, mode: 0o755 });
  for (const name of await readdir(parent))
    if (name.startsWith(basename(prefix))) await rm(`${parent}/${name}`, { recursive: true, force: true });
  const work = await mkdtemp(prefix);
  try {
    return await createTarget(work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
