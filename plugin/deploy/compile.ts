import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { VERSION } from "../version/version.ts";
import { runBuildTool } from "./build-tool.ts";
import { ensureRuntime } from "./bun-runtime.ts";
import { selectToolchain, type Toolchain } from "./platform.ts";

interface BuildTarget {
  /** Absolute path of the main source file. */
  readonly entry: string;
  /** Directories of the program's sources in addition to its entry: a change in any of them rebuilds it. */
  readonly sources: readonly string[];
  /** Absolute path of the executable. */
  readonly output: string;
}

/** Compiles a self-contained executable with `bun build --compile` if the sources have changed since the last time. */
export async function compileBun(
  program: BuildTarget,
  { bunTarget, bunRuntime }: Pick<Toolchain, "bunTarget" | "bunRuntime"> = selectToolchain(undefined),
): Promise<string> {
  const packageText = await readFile(findBunPackage(), "utf8");
  const flags = [...BUN_BUILD, `--target=${bunTarget}`];
  const recipe = [packageText, VERSION, bunRuntime?.integrity ?? "", ...flags].join(" ");
  return buildIfChanged(program, recipe, async (temporary) => {
    const { version } = JSON.parse(packageText) as { readonly version: string };
    const runtime =
      bunRuntime === undefined
        ? []
        : [`--compile-executable-path=${await ensureRuntime(bunRuntime, version, RUNTIMES)}`];
    await runBuildTool(findBun(), [...flags, ...runtime, program.entry, "--outfile", temporary]);
  });
}

/** Runtimes of other platforms. */
export const RUNTIMES = join(import.meta.dirname, "..", "dist", "runtimes");

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
];

const C_BUILD = [
  "-std=gnu11",
  "-O2",
  "-s",
  "-Wall",
  "-Wextra",
  "-fstack-protector-strong",
  // Checks bounds of copies with glibc; musl has no such functions.
  "-U_FORTIFY_SOURCE",
  "-D_FORTIFY_SOURCE=3",
  "-fPIE",
  "-Wl,-z,relro,-z,now,-z,noexecstack",
];

/**
 * Compiles a static, position-independent executable if the sources have changed since the last time. On amd64 it uses musl, because glibc reads CPUID
 * when it starts, which takes 0.4 ms on a virtual processor.
 */
export function compileC(
  program: BuildTarget,
  { compiler, staticPie }: Pick<Toolchain, "compiler" | "staticPie">,
): Promise<string> {
  const flags = [...C_BUILD, ...staticPie];
  return buildIfChanged(program, [compiler, ...flags].join(" "), async (temporary) => {
    await runBuildTool(compiler, [...flags, "-o", temporary, program.entry]);
  });
}

/**
 * Builds an executable unless its sources and recipe are those of the last build.
 * @param recipe inputs of the build other than the sources
 * @returns the path of the executable
 */
async function buildIfChanged(
  { entry, sources, output }: BuildTarget,
  recipe: string,
  build: (temporary: string) => Promise<void>,
): Promise<string> {
  const stamp = `${output}.sources`;
  const digest = await hashSources(sources, `${recipe}\0${await readFile(entry, "utf8")}`);
  if ((await readFile(stamp, "utf8").catch(() => "")) === digest) return output;
  await mkdir(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}.new`;
  try {
    await build(temporary);
    await rename(temporary, output);
  } finally {
    await rm(temporary, { force: true });
  }
  await writeFile(stamp, digest);
  return output;
}

/** Hashes the paths and contents of all non-test sources together with the recipe. */
async function hashSources(directories: readonly string[], recipe: string): Promise<string> {
  const hash = createHash("sha256").update(recipe);
  for (const directory of directories) {
    const names = (await readdir(directory, { recursive: true })).filter((name) =>
      /(?<!\.test)\.(ts|yaml|json|nft|c)$/.test(name),
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
