import { BUILD_PACKAGES, buildInterlay, type Executables } from "../../plugin/deploy/build.ts";
import type { Progress } from "../progress.ts";
import { run } from "./command.ts";
import { ensureDebianPackages } from "./packages.ts";

/** Interlay's own executables, with what building them needs: a C compiler, if the machine has none. */
export async function prepareInterlay(progress: Progress): Promise<Executables> {
  if ((await run(["gcc", "--version"])).exitCode !== 0) await ensureDebianPackages(BUILD_PACKAGES, progress);
  return buildInterlay();
}
