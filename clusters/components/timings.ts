import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { getCacheRoot } from "./cache.ts";

const seconds = z.record(z.string(), z.number());

/** How long steps took last time on this machine, in seconds, to show the expected duration. */
export async function readLastSeconds(title: string): Promise<number | undefined> {
  return (await readTimings())[title];
}

export async function saveLastSeconds(title: string, value: number): Promise<void> {
  const file = getTimingsFile();
  await mkdir(getCacheRoot(), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ ...(await readTimings()), [title]: Math.round(value * 10) / 10 }), {
    mode: 0o600,
  });
  await rename(temporary, file);
}

async function readTimings(): Promise<Record<string, number>> {
  try {
    return seconds.parse(JSON.parse(await readFile(getTimingsFile(), "utf8")));
  } catch {
    return {}; // a first run, or a file of another time: nobody depends on it
  }
}

function getTimingsFile(): string {
  return join(getCacheRoot(), "timings.json");
}
