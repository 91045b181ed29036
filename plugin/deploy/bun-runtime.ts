import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runBuildTool } from "./build-tool.ts";
import type { RuntimePackage } from "./platform.ts";

/**
 * Returns the path of a package's executable for a platform, which `npm pack` downloads into the directory at the first call.
 * @param version as in package.json
 * @param program name of the executable
 * @throws if the package is not the one whose integrity is known
 */
export async function ensureRuntime(
  { name, integrity }: RuntimePackage,
  version: string,
  directory: string,
  program = "bun",
): Promise<string> {
  const target = join(directory, `${name.replace(/^.*\//, "")}-${version}`);
  const executable = join(target, "package", "bin", program);
  const isPresent = await stat(executable).then(
    () => true,
    () => false,
  );
  if (isPresent) return executable;
  await mkdir(directory, { recursive: true });
  const staging = await mkdtemp(`${target}-`);
  try {
    const file = (
      await runBuildTool("npm", ["pack", "--silent", "--pack-destination", staging, `${name}@${version}`])
    ).trim();
    const archive = join(staging, file);
    const digest = createHash("sha512")
      .update(await readFile(archive))
      .digest("base64");
    if (`sha512-${digest}` !== integrity)
      throw new Error(`${name}@${version} has another content than expected (sha512-${digest})`);
    await runBuildTool("tar", ["--extract", "--gzip", "--file", archive, "--directory", staging]);
    await rm(archive);
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return executable;
}
