import { access, readdir, readFile } from "node:fs/promises";
import { getLabDirectory } from "../../clusters/lab/plan/lab-files.ts";

/** Returns the remains of a lab on this computer: its directory, its processes, mounts below its directory. */
export async function findOrphanedResources(lab: string): Promise<readonly string[]> {
  const directory = getLabDirectory(lab);
  const directories = await access(directory).then(
    () => [directory],
    () => [],
  );
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").filter((line) => line.includes(directory));
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(
    pids.map(async (pid) => {
      const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      const usesDirectory = argv.some((word) => word === directory || word.startsWith(`${directory}/`));
      return usesDirectory ? [`process ${pid}: ${argv.join(" ").slice(0, 120)}`] : [];
    }),
  );
  return [...directories, ...mounts, ...processes.flat()];
}
