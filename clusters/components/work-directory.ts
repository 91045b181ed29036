import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";

/**
 * Calls `make` with a temporary directory next to `target`. `make` renames its complete result to `target`. The directory is
 * removed afterwards, and so are those of killed runs: the caller holds a lock for `target`.
 */
export async function withWorkDirectory<T>(target: string, make: (work: string) => Promise<T>): Promise<T> {
  const parent = dirname(target);
  const prefix = `${target}.unfinished-`;
  await mkdir(parent, { recursive: true, mode: 0o755 });
  for (const name of await readdir(parent))
    if (name.startsWith(basename(prefix))) await rm(`${parent}/${name}`, { recursive: true, force: true });
  const work = await mkdtemp(prefix);
  try {
    return await make(work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
