import { BUILD_PACKAGES, buildInterlay, type Executables } from "../../plugin/deploy/build.ts";
import { NoCompilerError } from "../../plugin/deploy/compile.ts";
import type { Progress } from "../progress/progress.ts";
import { ensureDebianPackages } from "./packages.ts";

/** Builds Interlay's executables, and installs the compilers if they are missing. */
export async function buildInterlayExecutables(progress: Progress): Promise<Executables> {
  try {
    return await buildInterlay();
  } catch (error) {
    if (!(error instanceof NoCompilerError)) throw error;
  }
  await ensureDebianPackages(BUILD_PACKAGES, progress);
  return buildInterlay();
}
