import { renameSync, writeFileSync } from "node:fs";

/** Replaces a file, so that readers see either the old or the new text. It is readable by its owner only. */
export function writeFileAtomic(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
