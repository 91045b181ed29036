import {
  closeSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Interlay's files in the runtime's plugin directory, in the order in which they may be removed. */
export const INSTALLED_FILES = ["interlay-ipam", "interlay", "interlay-full"] as const;

/** Directory next to them with the loader `ld.so` and the libraries of `interlay-full`: the launcher uses it on nodes without glibc. */
export const LIBRARY_DIRECTORY = "interlay-lib";

/** Bytes per step of a comparison or copy. */
const CHUNK_BYTES = 1 << 20;

/**
 * Installs the executables in the runtime's plugin directory. Each file is replaced atomically; running calls keep the old one.
 * The full plugin is installed before the launcher that executes it.
 * @param whole this executable; the launcher is in the same directory
 */
export function installPlugin(binDirectory: string, whole: string = process.execPath): void {
  installLibraries(join(binDirectory, LIBRARY_DIRECTORY));
  installFile(whole, join(binDirectory, "interlay-full"));
  installFile(join(dirname(whole), "interlay"), join(binDirectory, "interlay"));
  const link = join(binDirectory, "interlay-ipam");
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync("interlay", link);
}

/** Installs the loader and the libraries that this process itself was started with. */
function installLibraries(directory: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(directory);
  mkdirSync(directory, { recursive: true });
  for (const library of listLibraries(readFileSync("/proc/self/maps", "utf8"))) {
    const name = basename(library);
    installFile(library, join(directory, name.startsWith("ld-linux") ? "ld.so" : name));
  }
}

/** Lists the paths of glibc's loader and libraries in the text of /proc/PID/maps. Pure. */
function listLibraries(maps: string): readonly string[] {
  const paths = maps.split("\n").flatMap((line) => / (\/\S+)$/.exec(line)?.[1] ?? []);
  const isLibrary = (path: string): boolean => /^(ld-linux-[\w-]+|lib(c|m|dl|pthread))\.so\.\d+$/.test(basename(path));
  return [...new Set(paths.filter(isLibrary))].sort();
}

/** The directory may belong to another user, who could plant links: none is followed. */
function installFile(executable: string, target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false })?.isFile() === true && hasSameContent(executable, target)) return;
  const temporary = `${target}.new`;
  rmSync(temporary, { force: true });
  copyToNewFile(executable, temporary);
  renameSync(temporary, target);
}

/** Copies a file in chunks. @throws an error with code EEXIST if the target exists, as a link too */
function copyToNewFile(source: string, target: string): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const [from, to] = [openSync(source, "r"), openSync(target, "wx", 0o755)];
  try {
    for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk))
      for (let written = 0; written < length;) written += writeSync(to, chunk, written, length - written);
    fchmodSync(to, 0o755);
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

/** Compares two files in chunks: each is about a hundred megabytes. */
function hasSameContent(a: string, b: string): boolean {
  if (statSync(a).size !== statSync(b, { throwIfNoEntry: false })?.size) return false;
  const [one, other] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
  const [first, second] = [openSync(a, "r"), openSync(b, "r")];
  try {
    for (;;) {
      const length = readSync(first, one);
      if (readSync(second, other) !== length || !one.equals(other)) return false;
      if (length === 0) return true;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}
