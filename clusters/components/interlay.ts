import { BUILD_PACKAGES, buildInterlay, type Executables } from "../../plugin/deploy/build.ts";
import { NoCompilerError } from "../../plugin/deploy/compile.ts";
import type { Progress } from "../progress.ts";
import { ensureDebianPackages } from "./packages.ts";

/** Interlay's own executables; what building them needs is installed, if they have to be built and it is not there. */
export async function buildInterlayExecutables(progress: Progress): Promise<Executables> {
  try {
    return await buildInterlay();
  } catch (error) {
    if (!(error instanceof NoCompilerError)) throw error;
  }
  await ensureDebianPackages(BUILD_PACKAGES, progress);
  return buildInterlay();
}
