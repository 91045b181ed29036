import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { cacheRoot } from "./cache.ts";

const seconds = z.record(z.string(), z.number());

/** How long steps took last time on this machine, in seconds, to show the expected duration. */
export async function lastSeconds(title: string): Promise<number | undefined> {
  return (await all())[title];
}

export async function rememberSeconds(title: string, value: number): Promise<void> {
  const file = path();
  await mkdir(cacheRoot(), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify({ ...(await all()), [title]: Math.round(value * 10) / 10 }), {
    mode: 0o600,
  });
  await rename(temporary, file);
}

async function all(): Promise<Record<string, number>> {
  try {
    return seconds.parse(JSON.parse(await readFile(path(), "utf8")));
  } catch {
    return {}; // a first run, or a file of another time: nobody depends on it
  }
}

function path(): string {
  return join(cacheRoot(), "timings.json");
}
