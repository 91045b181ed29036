import { readFile, writeFile } from "node:fs/promises";
import type { Progress } from "../progress.ts";

/**
 * Every node runs a systemd, a containerd and a kubelet, each with several inotify instances, all of one user. The
 * kernel's default of 128 is used up by about six nodes; the next kubelet dies with "too many open files"
 * (kind, known issues: "Pod errors due to too many open files").
 */
const LIMITS = { max_user_instances: 1024, max_user_watches: 524_288 } as const;

/** Raises what is too low, and says so. Not root: left as it is, kind's own message tells the rest. */
export async function ensureInotifyLimits(progress: Progress, directory = "/proc/sys/fs/inotify"): Promise<void> {
  for (const [name, wanted] of Object.entries(LIMITS)) {
    const file = `${directory}/${name}`;
    const current = Number(await readFile(file, "utf8").catch(() => String(wanted)));
    if (current >= wanted) continue;
    const raised = await writeFile(file, String(wanted)).then(
      () => true,
      () => false,
    );
    if (raised) progress.note(`fs.inotify.${name} raised from ${current} to ${wanted}: several nodes share it`);
  }
}
