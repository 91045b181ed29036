import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import pLimit from "p-limit";

const PARALLEL = 8;

/** Lists the regular files at or below `paths`, relative to `root`. Does not follow links. */
export async function listKitFiles(root: string, paths: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      const stats = await lstat(join(root, path));
      if (stats.isFile()) return [path];
      if (!stats.isDirectory()) return [];
      const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true });
      return entries.flatMap((entry) =>
        entry.isFile() ? [join(path, join(entry.parentPath, entry.name).slice(join(root, path).length + 1))] : [],
      );
    }),
  );
  return lists.flat();
}

/**
 * Computes the digests of files in the format of `sha256sum --check`.
 * @param files path on this machine and path in the archive
 */
export async function computeChecksums(files: readonly (readonly [from: string, to: string])[]): Promise<string> {
  const lines = await pLimit(PARALLEL).map(files, async ([from, to]) => {
    const hash = createHash("sha256");
    await pipeline(createReadStream(from), hash);
    return `${hash.digest("hex")}  ${to}\n`;
  });
  return lines.join("");
}
