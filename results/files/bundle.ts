import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Reports of a run that its bundle contains. */
const REPORTS = ["report.json", "junit.xml", "report.md", "report.html"] as const;
/** File with the digests of all other files, in the format of `sha256sum --check`. */
const CHECKSUMS_FILE = "SHA256SUMS";

/** Packs a run's reports and snapshots into `<directory>/bundle.tar.gz`. @returns its path */
export async function writeBundle(directory: string, snapshots: ReadonlyMap<string, string>): Promise<string> {
  const staging = await mkdtemp(join(tmpdir(), "interlay-bundle-"));
  try {
    for (const name of REPORTS) await copyFile(join(directory, name), join(staging, name));
    for (const [name, text] of snapshots) {
      await mkdir(dirname(join(staging, name)), { recursive: true });
      await writeFile(join(staging, name), text);
    }
    const bundle = join(directory, "bundle.tar.gz");
    await packArchive(staging, bundle);
    return bundle;
  } finally {
    await rm(staging, { recursive: true });
  }
}

/** Packs a directory and the digests of its files. Equal files give equal archives: order, owner and time are fixed. */
export async function packArchive(directory: string, archive: string): Promise<void> {
  const names = (await listFiles(directory)).filter((name) => name !== CHECKSUMS_FILE);
  const sums = await Promise.all(names.map(async (name) => `${await hashFile(join(directory, name))}  ${name}\n`));
  await writeFile(join(directory, CHECKSUMS_FILE), sums.join(""));
  const reproducibleFlags = [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mtime=@0",
    "--mode=u=rwX,go=rX",
  ];
  await run("tar", [
    ...reproducibleFlags,
    "--use-compress-program=gzip -n",
    "-cf",
    `${archive}.new`,
    "-C",
    directory,
    ".",
  ]);
  await rename(`${archive}.new`, archive);
}

/**
 * Unpacks an archive into a new directory, which the caller removes.
 * @throws if a file does not match its digest
 */
export async function unpackArchive(archive: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "interlay-bundle-"));
  try {
    await run("tar", ["--no-same-owner", "--no-same-permissions", "-xzf", archive, "-C", directory]);
    await verifyChecksums(archive, directory);
    return directory;
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
}

async function verifyChecksums(archive: string, directory: string): Promise<void> {
  const sums = (await readFile(join(directory, CHECKSUMS_FILE), "utf8").catch(() => ""))
    .split("\n")
    .filter((line) => line !== "");
  const digests = new Map(sums.map((line) => [line.slice(66), line.slice(0, 64)]));
  for (const name of (await listFiles(directory)).filter((entry) => entry !== CHECKSUMS_FILE)) {
    const digest = await hashFile(join(directory, name));
    if (digests.get(name) !== digest)
      throw new Error(`${name} in ${archive} does not match its digest in ${CHECKSUMS_FILE}`);
    digests.delete(name);
  }
  const [missing] = digests.keys();
  if (missing !== undefined) throw new Error(`${missing} is missing from ${archive}`);
}

/** Returns the SHA-256 digest of a file in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

async function listFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const special = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (special !== undefined)
    throw new Error(`${special.name} in ${special.parentPath} is neither a file nor a directory`);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
