import { readFile, writeFile } from "node:fs/promises";
import type { Progress } from "../progress/progress.ts";

/** Minimum values of kernel parameters. */
export interface KernelLimits {
  /** Common prefix of the sysctls, like `fs.inotify`. */
  readonly prefix: string;
  /** Minimum value by the last part of the sysctl's name. */
  readonly minimums: Readonly<Record<string, number>>;
  /** Reason for the note that is printed. */
  readonly reason: string;
}

/**
 * Raises parameters that are too low, with a note for each. Does nothing without write permission.
 *
 * @param root directory of the sysctls
 */
export async function raiseLimits(
  { prefix, minimums, reason }: KernelLimits,
  progress: Pick<Progress, "note">,
  root = "/proc/sys",
): Promise<void> {
  for (const [name, minimum] of Object.entries(minimums)) {
    const file = `${root}/${prefix.replaceAll(".", "/")}/${name}`;
    const current = Number(await readFile(file, "utf8").catch(() => String(minimum)));
    if (current >= minimum) continue;
    const raised = await writeFile(file, String(minimum)).then(
      () => true,
      () => false,
    );
    if (raised) progress.note(`${prefix}.${name} raised from ${current} to ${minimum}: ${reason}`);
  }
}
