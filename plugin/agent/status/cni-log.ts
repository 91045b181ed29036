import { closeSync, constants, lstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";

const CHUNK_BYTES = 256 * 1024;

const call = z.object({
  plugin: z.string().default("interlay"),
  command: z.string().optional(),
  mode: z.enum(["standalone", "agent"]).default("standalone"),
  ifname: z.string().optional(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }).optional(),
  milliseconds: z.number(),
  error: z.string().optional(),
});
export type CniLogEntry = z.infer<typeof call>;

/** Reads the entries that the plugins have added to their log since the last read; the first read starts at the end. */
export class CniLog {
  readonly #file: string;
  #offset: number;
  #incompleteLine = "";

  constructor(file: string) {
    this.#file = file;
    this.#offset = this.#readSize();
  }

  read(): readonly CniLogEntry[] {
    const size = this.#readSize();
    if (size < this.#offset) this.#offset = 0; // rotated
    if (size === this.#offset) return [];
    const fd = openSync(this.#file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const buffer = Buffer.alloc(Math.min(size - this.#offset, CHUNK_BYTES));
      const read = readSync(fd, buffer, 0, buffer.length, this.#offset);
      this.#offset += read;
      const lines = (this.#incompleteLine + buffer.toString("utf8", 0, read)).split("\n");
      this.#incompleteLine = lines.pop() ?? "";
      return lines.flatMap(parseLine);
    } finally {
      closeSync(fd);
    }
  }

  #readSize(): number {
    return lstatSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }
}

function parseLine(line: string): readonly CniLogEntry[] {
  try {
    const parsed = call.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
