import { readFile, writeFile } from "node:fs/promises";
import type { Progress } from "./progress.ts";

export interface KernelLimits {
  /** As sysctl calls what is before the names: `fs.inotify`. */
  readonly prefix: string;
  readonly atLeast: Readonly<Record<string, number>>;
  /** Why the kernel's own do not do, for people. */
  readonly because: string;
}

/** Raises what is too low, and says so. Not root: left as it is. @param root of the kernel's settings */
export async function raiseLimits(
  { prefix, atLeast, because }: KernelLimits,
  progress: Pick<Progress, "note">,
  root = "/proc/sys",
): Promise<void> {
  for (const [name, wanted] of Object.entries(atLeast)) {
    const file = `${root}/${prefix.replaceAll(".", "/")}/${name}`;
    const current = Number(await readFile(file, "utf8").catch(() => String(wanted)));
    if (current >= wanted) continue;
    const raised = await writeFile(file, String(wanted)).then(
      () => true,
      () => false,
    );
    if (raised) progress.note(`${prefix}.${name} raised from ${current} to ${wanted}: ${because}`);
  }
}
