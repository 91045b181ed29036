import { writeSync } from "node:fs";

const STDOUT = 1;

/** Writes a line to stdout synchronously. Bun's `process.stdout` takes longer to set up than the rest of a VERSION call. */
export function writeStdout(json: string): void {
  const bytes = Buffer.from(`${json}\n`);
  for (let written = 0; written < bytes.length;) written += writeSync(STDOUT, bytes, written);
}
