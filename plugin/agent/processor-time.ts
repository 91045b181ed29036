import { readFileSync } from "node:fs";

/** Milliseconds of a clock tick: USER_HZ is 100 on all supported architectures. */
const TICK_MS = 10;

/** Reads the processor time of this process and of its ended children from /proc/self/stat (proc(5)), in milliseconds. */
export function readProcessorTime(text: string = readFileSync("/proc/self/stat", "utf8")): number {
  // The name in parentheses may contain spaces; utime, stime, cutime and cstime are the fields 14 to 17.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const times = fields.slice(11, 15).map(Number);
  return times.reduce((sum, ticks) => sum + ticks, 0) * TICK_MS;
}
