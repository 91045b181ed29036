import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Interlay's files in the runtime's plugin directory, in the order in which they may be removed. */
export const INSTALLED_FILES = ["interlay-ipam", "interlay", "interlay-full"] as const;

/** Directory next to these files with the loader `ld.so` and the libraries of `interlay-full`, for nodes without glibc. */
export const LIBRARY_DIRECTORY = "interlay-lib";

/** Bytes per step of a comparison or copy. */
const CHUNK_BYTES = 1 << 20;

/**
 * Installs the executables in the runtime's plugin directory. Each file is replaced atomically; running calls keep the old one.
 * The full plugin is installed before the launcher that executes it.
 * @param fullPlugin this executable; the launcher is in the same directory
 */
export async function installPlugin(binDirectory: string, fullPlugin: string = process.execPath): Promise<void> {
  await installLibraries(join(binDirectory, LIBRARY_DIRECTORY));
  await installFile(fullPlugin, join(binDirectory, "interlay-full"));
  await installFile(join(dirname(fullPlugin), "interlay"), join(binDirectory, "interlay"));
  const link = join(binDirectory, "interlay-ipam");
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync("interlay", link);
}

/** Installs the loader and the libraries that this process itself was started with. */
async function installLibraries(directory: string): Promise<void> {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(directory);
  mkdirSync(directory, { recursive: true });
  for (const library of listLibraries(readFileSync("/proc/self/maps", "utf8"))) {
    const name = basename(library);
    await installFile(library, join(directory, name.startsWith("ld-linux") ? "ld.so" : name));
  }
}

/** Lists the paths of glibc's loader and libraries in the text of /proc/PID/maps. Pure. */
function listLibraries(maps: string): readonly string[] {
  const paths = maps.split("\n").flatMap((line) => / (\/\S+)$/.exec(line)?.[1] ?? []);
  const isLibrary = (path: string): boolean => /^(ld-linux-[\w-]+|lib(c|m|dl|pthread))\.so\.\d+$/.test(basename(path));
  return [...new Set(paths.filter(isLibrary))].sort();
}

/** Installs a file. Follows no symbolic link, because the directory may belong to another user. */
async function installFile(executable: string, target: string): Promise<void> {
  const isFile = lstatSync(target, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && (await hasSameContent(executable, target))) return;
  const temporary = `${target}.new`;
  rmSync(temporary, { force: true });
  await copyToNewFile(executable, temporary);
  renameSync(temporary, target);
}

/** Copies a file in chunks. @throws an error with code EEXIST if the target exists, also as a symbolic link */
async function copyToNewFile(source: string, target: string): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  await using from = await open(source, "r");
  await using to = await open(target, "wx", 0o755);
  for (let { bytesRead } = await from.read(chunk); bytesRead > 0; { bytesRead } = await from.read(chunk))
    await to.writeFile(chunk.subarray(0, bytesRead));
  await to.chmod(0o755);
}

/** Compares two files in chunks: each may have about a hundred megabytes. */
async function hasSameContent(firstPath: string, secondPath: string): Promise<boolean> {
  if (statSync(firstPath).size !== statSync(secondPath, { throwIfNoEntry: false })?.size) return false;
  const [firstChunk, secondChunk] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
  await using first = await open(firstPath, "r");
  await using second = await open(secondPath, "r");
  for (;;) {
    const [{ bytesRead }, secondRead] = await Promise.all([first.read(firstChunk), second.read(secondChunk)]);
    if (secondRead.bytesRead !== bytesRead || !firstChunk.equals(secondChunk)) return false;
    if (bytesRead === 0) return true;
  }
}
