import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const AT_ONCE = 8;

/** Every regular file at or below `paths`, each by its path from `root`. Links are not followed. */
export async function listFiles(root: string, paths: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      const is = await lstat(join(root, path));
      if (is.isFile()) return [path];
      if (!is.isDirectory()) return [];
      const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true });
      return entries.flatMap((entry) =>
        entry.isFile() ? [join(path, join(entry.parentPath, entry.name).slice(join(root, path).length + 1))] : [],
      );
    }),
  );
  return lists.flat();
}

/** Lines as `sha256sum --check` reads them. @param files path on this machine, and in the archive */
export async function computeChecksums(files: readonly (readonly [from: string, to: string])[]): Promise<string> {
  const lines: string[] = new Array<string>(files.length);
  const waiting = files.entries();
  const worker = async (): Promise<void> => {
    for (const [index, [from, to]] of waiting) {
      const hash = createHash("sha256");
      await pipeline(createReadStream(from), hash);
      lines[index] = `${hash.digest("hex")}  ${to}`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return lines.map((line) => `${line}\n`).join("");
}
