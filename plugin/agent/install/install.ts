import {
  chmodSync,
  closeSync,
  copyFileSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Interlay's files in the runtime's plugin directory, in the order in which they may be removed. */
export const INSTALLED_FILES = ["interlay-ipam", "interlay", "interlay-full"] as const;

/** Bytes per comparison step. */
const CHUNK_BYTES = 1 << 20;

/**
 * Installs the executables in the runtime's plugin directory. Each file is replaced atomically; running calls keep the old one.
 * The full plugin is installed before the launcher that executes it.
 * @param whole this executable; the launcher is in the same directory
 */
export function installPlugin(binDirectory: string, whole: string = process.execPath): void {
  installFile(whole, join(binDirectory, "interlay-full"));
  installFile(join(dirname(whole), "interlay"), join(binDirectory, "interlay"));
  const link = join(binDirectory, "interlay-ipam");
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync("interlay", link);
}

function installFile(executable: string, target: string): void {
  if (hasSameContent(executable, target)) return;
  const temporary = `${target}.new`;
  copyFileSync(executable, temporary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, target);
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
