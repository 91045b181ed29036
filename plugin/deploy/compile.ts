import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Program {
  /** Absolute path of the TypeScript file that is run. */
  readonly entry: string;
  /** Directories whose sources the program is made of: a change in any of them makes it anew. */
  readonly sources: readonly string[];
  /** Absolute path of the executable. */
  readonly output: string;
}

/** One self-contained executable by `bun build --compile`; made only if the sources changed since the last time. */
export async function compile({ entry, sources, output }: Program): Promise<string> {
  const stamp = `${output}.sources`;
  const digest = await digestOf(sources);
  if ((await readFile(stamp, "utf8").catch(() => "")) === digest) return output;
  await mkdir(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}.new`;
  try {
    await bun([
      "build",
      "--compile",
      // What a call does not import is a file of its own in the executable, and is not loaded.
      "--splitting",
      "--format=esm",
      "--bytecode",
      "--minify",
      "--target=bun-linux-x64",
      entry,
      "--outfile",
      temporary,
    ]);
    await rename(temporary, output);
  } finally {
    await rm(temporary, { force: true });
  }
  await writeFile(stamp, digest);
  return output;
}

/** Paths and contents of all non-test sources, and Bun's version. */
async function digestOf(directories: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(await readFile(bunPackage(), "utf8"));
  for (const directory of directories) {
    const names = (await readdir(directory, { recursive: true })).filter((n) =>
      /(?<!\.test)\.(ts|yaml|json|nft)$/.test(n),
    );
    for (const name of names.sort()) hash.update(`\0${name}\0`).update(await readFile(join(directory, name)));
  }
  return hash.digest("hex");
}

function bunPackage(): string {
  return createRequire(import.meta.url).resolve("bun/package.json");
}

async function bun(argv: readonly string[]): Promise<void> {
  const file = join(dirname(bunPackage()), "bin", "bun.exe"); // the npm package's name for it on every system
  const child = spawn(file, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`bun could not compile (exit ${String(code)}): ${said.trim()}`);
}
