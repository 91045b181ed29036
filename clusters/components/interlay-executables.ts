import { buildInterlay, type Executables } from "../../plugin/deploy/build-executables.ts";
import { NoCompilerError } from "../../plugin/deploy/build-tool.ts";
import { type Platform, selectToolchain } from "../../plugin/deploy/platform.ts";
import type { Progress } from "../progress/progress.ts";
import { ensureDebianPackages } from "./packages.ts";

/**
 * Builds Interlay's executables, and installs the compilers if they are missing.
 * @param platform undefined: this machine's
 */
export async function buildInterlayExecutables(progress: Progress, platform?: Platform): Promise<Executables> {
  try {
    return await buildInterlay(platform);
  } catch (error) {
    if (!(error instanceof NoCompilerError)) throw error;
  }
  await ensureDebianPackages(selectToolchain(platform).packages, progress);
  return buildInterlay(platform);
}
