import { chmodSync, copyFileSync, lstatSync, readFileSync, renameSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** The names that Interlay has in the runtime's directory of plugins, in the order in which they may be removed. */
export const INSTALLED = ["interlay-ipam", "interlay", "interlay-full"] as const;

/**
 * Puts the executables where the runtime looks for plugins; each name appears whole, running calls keep theirs. The whole
 * plugin comes before the door that goes on to it.
 * @param whole this executable; the door lies beside it
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

function sameContent(a: string, b: string): boolean {
  if (statSync(a).size !== statSync(b, { throwIfNoEntry: false })?.size) return false;
  return readFileSync(a).equals(readFileSync(b));
}
