import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { OfficialRelease } from "./catalog.ts";
import { runOrThrow } from "./run-command.ts";
import { withWorkDirectory } from "./work-directory.ts";

/** The error for a release whose server is not reachable or does not have the file; a wrong checksum is another error. */
export class UnavailableError extends Error {}

/** Timeout of a download in milliseconds, for a server that stops sending. */
const DOWNLOAD_TIMEOUT_MS = 15 * 60_000;

/** Timeout of isReachable in milliseconds: enough for a slow handshake, and a short wait on a machine without internet access. */
const REACH_TIMEOUT_MS = 3000;

const reachability = new Map<string, Promise<boolean>>();

/** Whether the host of a URL answers. The result is cached. */
export function isReachable(url: string): Promise<boolean> {
  const { origin } = new URL(url);
  let result = reachability.get(origin);
  if (result === undefined) {
    result = fetch(origin, { method: "HEAD", signal: AbortSignal.timeout(REACH_TIMEOUT_MS) }).then(
      (response) => response.status < 500, // some hosts reject HEAD for their root, but serve files
      () => false,
    );
    reachability.set(origin, result);
  }
  return result;
}

/**
 * Returns the SHA-256 of a file from the content of a checksum file.
 *
 * @param file base name of the file
 * @param published one digest without a name, or lines of `sha256sum`
 * @returns undefined if the checksum file does not contain it
 */
export function findDigest(file: string, published: string): string | undefined {
  const onlyDigest = /^\s*([0-9a-f]{64})\s*$/.exec(published);
  if (onlyDigest) return onlyDigest[1];
  for (const line of published.split("\n")) {
    const match = /^([0-9a-f]{64})\s+\*?(\S+)/.exec(line);
    if (match?.[2] !== undefined && basename(match[2]) === file) return match[1];
  }
  return undefined;
}

/**
 * Downloads a release. The target appears only after its checksum was verified.
 *
 * @param target path of the executable, or of the directory with the content of the archive
 * @throws UnavailableError if it cannot be downloaded; another error if the checksum is wrong or missing
 */
export async function downloadRelease(release: OfficialRelease, target: string): Promise<void> {
  const file = basename(new URL(release.url).pathname);
  const published = await (await fetchOrThrow(release.checksumUrl)).text();
  const expected = findDigest(file, published);
  if (expected === undefined) throw new Error(`${release.checksumUrl} has no SHA-256 of ${file}`);
  await withWorkDirectory(target, async (work) => {
    const downloaded = join(work, file);
    const { body } = await fetchOrThrow(release.url);
    if (body === null) throw new UnavailableError(`${release.url} is empty`);
    await pipeline(Readable.fromWeb(body), createWriteStream(downloaded)).catch((cause: unknown) => {
      throw new UnavailableError(`the download of ${release.url} was interrupted`, { cause });
    });
    const actual = await hashFile(downloaded);
    if (actual !== expected)
      throw new Error(
        `wrong checksum of ${release.url}: SHA-256 ${actual}, but ${release.checksumUrl} has ${expected}`,
      );
    await rename(await unpackRelease(downloaded, release.member, work), target);
  });
}

/**
 * Unpacks the archive of a release, or uses the downloaded file itself.
 *
 * @param member see OfficialRelease
 * @returns the path of the executable or directory, inside `work`
 */
async function unpackRelease(downloaded: string, member: string | undefined, work: string): Promise<string> {
  let result = downloaded;
  if (member !== undefined) {
    const tree = join(work, "tree");
    await mkdir(tree, { mode: 0o755 });
    const members = member === "" ? [] : [member];
    await runOrThrow(["tar", "--extract", "--no-same-owner", "--file", downloaded, "--directory", tree, ...members]);
    result = join(tree, member);
  }
  await chmod(result, 0o755);
  return result;
}

async function fetchOrThrow(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) }).catch((cause: unknown) => {
    throw new UnavailableError(`cannot reach ${url}`, { cause });
  });
  if (!response.ok) throw new UnavailableError(`${url} returned ${response.status} ${response.statusText}`);
  return response;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
