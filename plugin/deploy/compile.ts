import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { VERSION } from "../version/version.ts";

interface BuildTarget {
  /** Absolute path of the main source file. */
  readonly entry: string;
  /** Directories of the program's sources in addition to its entry: a change in any of them rebuilds it. */
  readonly sources: readonly string[];
  /** Absolute path of the executable. */
  readonly output: string;
}

/** Compiles a self-contained executable with `bun build --compile` if the sources have changed since the last time. */
export async function compileBun(program: BuildTarget): Promise<string> {
  const recipe = [await readFile(findBunPackage(), "utf8"), VERSION, ...BUN_BUILD].join(" ");
  return buildIfChanged(program, recipe, (temporary) =>
    run(findBun(), [...BUN_BUILD, program.entry, "--outfile", temporary]),
  );
}

const BUN_BUILD = [
  "build",
  "--compile",
  // Modules that a call does not import are separate files in the executable and are not loaded.
  "--splitting",
  "--format=esm",
  "--bytecode",
  "--minify",
  // An agent runs for months: less memory for more frequent collections.
  "--compile-exec-argv=--smol",
  "--target=bun-linux-x64",
];

const C_BUILD = ["-std=gnu11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-fstack-protector-strong"];

/**
 * Compiles a static executable if the sources have changed since the last time. It uses musl, because glibc reads CPUID when it
 * starts, which takes 0.4 ms on a virtual processor.
 */
export function compileC(program: BuildTarget): Promise<string> {
  return buildIfChanged(program, C_BUILD.join(" "), (temporary) =>
    run("musl-gcc", [...C_BUILD, "-o", temporary, program.entry]),
  );
}

/** @param recipe what else the executable depends on */
async function buildIfChanged(
  { entry, sources, output }: BuildTarget,
  recipe: string,
  make: (temporary: string) => Promise<void>,
): Promise<string> {
  const stamp = `${output}.sources`;
  const digest = await hashSources(sources, `${recipe}\0${await readFile(entry, "utf8")}`);
  if ((await readFile(stamp, "utf8").catch(() => "")) === digest) return output;
  await mkdir(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}.new`;
  try {
    await make(temporary);
    await rename(temporary, output);
  } finally {
    await rm(temporary, { force: true });
  }
  await writeFile(stamp, digest);
  return output;
}

/** Paths and contents of all non-test sources, and what else the executable depends on. */
async function hashSources(directories: readonly string[], recipe: string): Promise<string> {
  const hash = createHash("sha256").update(recipe);
  for (const directory of directories) {
    const names = (await readdir(directory, { recursive: true })).filter((n) =>
      /(?<!\.test)\.(ts|yaml|json|nft|c)$/.test(n),
    );
    for (const name of names.sort()) hash.update(`\0${name}\0`).update(await readFile(join(directory, name)));
  }
  return hash.digest("hex");
}

function findBunPackage(): string {
  return createRequire(import.meta.url).resolve("bun/package.json");
}

/** Returns the path of Bun's executable, which has this name on all systems. */
export function findBun(): string {
  return join(dirname(findBunPackage()), "bin", "bun.exe");
}

/** A program that the build needs is not installed. */
export class NoCompilerError extends Error {}

async function run(file: string, argv: readonly string[]): Promise<void> {
  const child = spawn(file, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child
      .on("error", ({ message }) => {
        reject(new NoCompilerError(`${file} cannot be started (${message}): it is needed to build Interlay`));
      })
      .on("close", resolve);
  });
  if (code !== 0) throw new Error(`${file} ${argv[0] ?? ""} failed (exit ${String(code)}): ${output.trim()}`);
}
