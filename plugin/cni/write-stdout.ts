import { writeSync } from "node:fs";

const STDOUT = 1;

/** Everything to stdout before it returns. Setting up Bun's `process.stdout` costs longer than the rest of a VERSION. */
export function writeStdout(json: string): void {
  const bytes = Buffer.from(`${json}\n`);
  for (let written = 0; written < bytes.length;) written += writeSync(STDOUT, bytes, written);
}
