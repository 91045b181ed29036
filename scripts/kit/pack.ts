import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { KIT_CACHE } from "../../clusters/components/cache.ts";
import { computeChecksums, listFiles } from "./checksums.ts";
import type { KitContents } from "./contents.ts";

/** The archive's one directory. */
export const KIT_DIRECTORY = "interlay-kit";
export const CHECKSUMS_FILE = "SHA256SUMS";

interface Sources {
  readonly project: string;
  readonly cache: string;
}

/** Packs a kit at `archive`, which appears only when it is whole. Returns how many files it has. */
export async function packKit({ project, cache }: Sources, contents: KitContents, archive: string): Promise<number> {
  const staging = await mkdtemp(join(tmpdir(), "interlay-kit-"));
  const making = `${archive}.making`;
  try {
    const [ours, cached] = await Promise.all([listFiles(project, contents.project), listFiles(cache, contents.cache)]);
    const sums = await computeChecksums([
      ...ours.map((path) => [join(project, path), path] as const),
      ...cached.map((path) => [join(cache, path), join(KIT_CACHE, path)] as const),
    ]);
    await writeFile(join(staging, CHECKSUMS_FILE), sums);
    await rm(making, { force: true });
    await tar(making, project, KIT_DIRECTORY, contents.project, staging);
    await tar(making, cache, join(KIT_DIRECTORY, KIT_CACHE), contents.cache, staging);
    await tar(making, staging, KIT_DIRECTORY, [CHECKSUMS_FILE], staging);
    await rename(making, archive);
    return ours.length + cached.length;
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(making, { force: true });
  }
}

/** posix: times to the nanosecond, for images are known by their programs' times. Not the targets of links are moved. */
async function tar(
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
