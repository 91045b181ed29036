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

/** The names that Interlay has in the runtime's directory of plugins, in the order in which they may be removed. */
export const INSTALLED = ["interlay-ipam", "interlay", "interlay-full"] as const;

/** Bytes compared at once. */
const PIECE = 1 << 20;

/**
 * Puts the executables where the runtime looks for plugins; each name appears whole, running calls keep theirs. The whole
 * plugin comes before the launcher that goes on to it.
 * @param whole this executable; the launcher lies beside it
 */
export function installPlugin(binDirectory: string, whole: string = process.execPath): void {
  put(whole, join(binDirectory, "interlay-full"));
  put(join(dirname(whole), "interlay"), join(binDirectory, "interlay"));
  const link = join(binDirectory, "interlay-ipam");
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync("interlay", link);
}

function put(executable: string, target: string): void {
  if (sameContent(executable, target)) return;
  const temporary = `${target}.new`;
  copyFileSync(executable, temporary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, target);
}

/** Piece by piece: whole they would be hundreds of megabytes. */
function sameContent(a: string, b: string): boolean {
  if (statSync(a).size !== statSync(b, { throwIfNoEntry: false })?.size) return false;
  const [one, other] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];
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
