import { readFileSync, readlinkSync } from "node:fs";
import { getLibc } from "../netlink/libc.ts";

const MADV_DONTNEED = 4;

/** How often a collection, in passes: it throws compiled code away too, which costs more than the release of the rest. */
const COLLECT = 6;

/**
 * Bun's collector lets the heap of an idle program grow for a long time; a collection of a small heap takes milliseconds.
 * @param pass how many were before
 */
export function trimHeap(pass: number): void {
  const bun = (globalThis as { readonly Bun?: { gc(force: boolean): void } }).Bun;
  if (pass % COLLECT === 0) bun?.gc(true);
  releaseCode();
}

/**
 * Lets go of the executable's code and constants: most of what is resident of it the start alone has needed, and the kernel
 * maps sixteen pages where one is asked for. What is run again comes back from the page cache, a fault for each sixteen pages.
 */
function releaseCode(): void {
  for (const { start, end } of parseCodeMappings(
    readFileSync("/proc/self/maps", "utf8"),
    readlinkSync("/proc/self/exe"),
  ))
    getLibc().madvise(start, end - start, MADV_DONTNEED);
}

/**
 * Where a file's code and constants are mapped: never written, so that nothing is lost. What the loader has written and made
 * read-only after (RELRO) is not at the file's beginning. Pure. proc_pid_maps(5)
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
