import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";

/**
 * Runs `make` with a new directory next to `target`, which goes away whatever happens; `make` renames what is whole to
 * `target`. What a run that was killed left behind goes first: the caller holds a lock for `target`.
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
