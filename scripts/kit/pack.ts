import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { KIT_CACHE } from "../../clusters/components/cache.ts";
import { computeChecksums, listKitFiles } from "./checksums.ts";
import type { KitContents } from "./contents.ts";

/** Directory that the archive contains. */
export const KIT_DIRECTORY = "interlay-kit";
export const CHECKSUMS_FILE = "SHA256SUMS";

interface SourceDirectories {
  readonly project: string;
  readonly cache: string;
}

/** Packs a kit; `archive` exists only when it is complete. @returns the number of files */
export async function packKit(
  { project, cache }: SourceDirectories,
  contents: KitContents,
  archive: string,
): Promise<number> {
  const staging = await mkdtemp(join(tmpdir(), "interlay-kit-"));
  const partial = `${archive}.partial`;
  try {
    const [tracked, cached] = await Promise.all([
      listKitFiles(project, contents.project),
      listKitFiles(cache, contents.cache),
    ]);
    const checksums = await computeChecksums([
      ...tracked.map((path) => [join(project, path), path] as const),
      ...cached.map((path) => [join(cache, path), join(KIT_CACHE, path)] as const),
    ]);
    await writeFile(join(staging, CHECKSUMS_FILE), checksums);
    await rm(partial, { force: true });
    await appendFiles(partial, project, KIT_DIRECTORY, contents.project, staging);
    await appendFiles(partial, cache, join(KIT_DIRECTORY, KIT_CACHE), contents.cache, staging);
    await appendFiles(partial, staging, KIT_DIRECTORY, [CHECKSUMS_FILE], staging);
    await rename(partial, archive);
    return tracked.length + cached.length;
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(partial, { force: true });
  }
}

/**
 * Appends files to an archive. The format posix keeps exact times, which identify the programs of an image. The transformation
 * does not change the targets of links.
 */
async function appendFiles(
  archive: string,
  from: string,
  to: string,
  paths: readonly string[],
  staging: string,
): Promise<void> {
  const list = join(staging, "list");
  await writeFile(list, paths.map((path) => `${path}\0`).join(""));
  const options = ["--format=posix", "--owner=0", "--group=0", "--numeric-owner", "--null"];
  const rename = `--transform=flags=rh;s,^,${to}/,`;
  await $`tar --append --file ${archive} ${options} --directory ${from} ${rename} --files-from ${list}`;
}
