import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { getCacheRoot } from "./cache.ts";

const seconds = z.record(z.string(), z.number());

/** Returns the last duration of a step on this machine in seconds; undefined if the step never finished. */
export async function readLastSeconds(title: string): Promise<number | undefined> {
  return (await readTimings())[title];
}

/** Saves the duration of a step in seconds. */
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
    return {}; // no file yet, or an invalid one
  }
}

function getTimingsFile(): string {
  return join(getCacheRoot(), "timings.json");
}
