import { readFileSync, readlinkSync } from "node:fs";
import { getLibc } from "../netlink/libc.ts";

const MADV_DONTNEED = 4;

/** Number of passes between collections: a collection also discards compiled code, which costs more than it releases. */
const COLLECT = 6;

/**
 * Releases memory. Bun's collector lets the heap of an idle program grow for a long time; a collection of a small heap takes
 * milliseconds.
 *
 * @param pass number of earlier passes
 */
export function trimHeap(pass: number): void {
  const bun = (globalThis as { readonly Bun?: { gc(force: boolean): void } }).Bun;
  if (pass % COLLECT === 0) bun?.gc(true);
  releaseCode();
}

/**
 * Releases the resident pages of the executable's code and constants, most of which only the start needed. The kernel maps sixteen
 * pages per fault, and reads pages that are used again from the page cache.
 */
function releaseCode(): void {
  for (const { start, end } of parseCodeMappings(
    readFileSync("/proc/self/maps", "utf8"),
    readlinkSync("/proc/self/exe"),
  ))
    getLibc().madvise(start, end - start, MADV_DONTNEED);
}

/**
 * Parses the mappings of a file's code and constants from proc_pid_maps(5). They are never written, so nothing is lost. Pages that the
 * loader wrote and then made read-only (RELRO) are not at the beginning of the file.
 */
export function parseCodeMappings(
  maps: string,
  file: string,
): readonly { readonly start: number; readonly end: number }[] {
  return maps.split("\n").flatMap((line) => {
    const [, start = "", end = "", path] =
      /^([0-9a-f]+)-([0-9a-f]+) (?:r-xp \S+|r--p 0+) \S+ \d+\s+(.*)$/.exec(line) ?? [];
    return path === file ? [{ start: parseInt(start, 16), end: parseInt(end, 16) }] : [];
  });
}
