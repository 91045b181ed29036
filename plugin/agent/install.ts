import { chmodSync, copyFileSync, lstatSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Puts this executable where the runtime looks for plugins; each name appears whole, running calls keep theirs. */
export function installPlugin(binDirectory: string, executable: string = process.execPath): void {
  const target = join(binDirectory, "interlay");
  if (!sameContent(executable, target)) {
    const temporary = `${target}.new`;
    copyFileSync(executable, temporary);
    chmodSync(temporary, 0o755);
    renameSync(temporary, target);
  }
  const link = join(binDirectory, "interlay-ipam");
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync("interlay", link);
}

function sameContent(a: string, b: string): boolean {
  try {
    return readFileSync(a).equals(readFileSync(b));
  } catch {
    return false;
  }
}
