import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { OfficialRelease } from "./catalog.ts";
import { runOrThrow } from "./command.ts";

/** Long enough for a slow handshake, short enough that a machine without the internet does not wait. */
const REACH_TIMEOUT_MS = 3000;

const reachability = new Map<string, Promise<boolean>>();

/** Whether the host of `url` answers at all; asked once a run. */
export function isReachable(url: string): Promise<boolean> {
  const { origin } = new URL(url);
  let answer = reachability.get(origin);
  if (answer === undefined) {
    answer = fetch(origin, { method: "HEAD", signal: AbortSignal.timeout(REACH_TIMEOUT_MS) }).then(
      (response) => response.status < 400,
      () => false,
    );
    reachability.set(origin, answer);
  }
  return answer;
}

/** The digest of `file` in a published checksum: 64 hex digits alone, or `sha256sum` lines. */
export function digestFor(file: string, published: string): string | undefined {
  const alone = /^\s*([0-9a-f]{64})\s*$/.exec(published);
  if (alone) return alone[1];
  for (const line of published.split("\n")) {
    const match = /^([0-9a-f]{64})\s+\*?(\S+)/.exec(line);
    if (match?.[2] !== undefined && basename(match[2]) === file) return match[1];
  }
  return undefined;
}

/** Downloads a release as the executable `target`; nothing appears there unless its checksum is the published one. */
export async function downloadRelease(release: OfficialRelease, target: string): Promise<void> {
  const file = basename(new URL(release.url).pathname);
  const published = await (await get(release.checksumUrl)).text();
  const expected = digestFor(file, published);
  if (expected === undefined) throw new Error(`${release.checksumUrl} has no SHA-256 of ${file}`);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const work = await mkdtemp(`${target}.downloading-`);
  try {
    const downloaded = join(work, file);
    const { body } = await get(release.url);
    if (body === null) throw new Error(`${release.url} is empty`);
    await pipeline(Readable.fromWeb(body), createWriteStream(downloaded));
    const actual = await sha256(downloaded);
    if (actual !== expected)
      throw new Error(`${release.url} has SHA-256 ${actual}, but ${release.checksumUrl} says ${expected}: not used`);
    let executable = downloaded;
    if (release.member !== undefined) {
      await runOrThrow(["tar", "--extract", "--file", downloaded, "--directory", work, release.member]);
      executable = join(work, release.member);
    }
    await chmod(executable, 0o755);
    await rename(executable, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
  return response;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
