import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathExists } from "../components/path-exists.ts";

/** Parent of the containers' control groups, Docker's default. */
const PARENT = "docker";
/**
 * Weight of all containers together: that of twenty processes. By default they weigh as much as one process of the machine, and
 * at load 150 the API server of a kind cluster did not answer for minutes.
 */
const WEIGHTS = [
  { hierarchy: "cpu", file: "cpu.shares", value: 20 * 1024 },
  { hierarchy: ".", file: "cpu.weight", value: 20 * 100 }, // cgroup v2
] as const;

/**
 * Raises the share of the processor that the containers of a private daemon get on a busy machine.
 * @param root mount point of the control groups
 */
export async function raiseContainerWeight(root = "/sys/fs/cgroup"): Promise<void> {
  for (const { hierarchy, file, value } of WEIGHTS) {
    if (!(await pathExists(join(root, hierarchy, "cgroup.procs")))) continue;
    const group = join(root, hierarchy, PARENT);
    await mkdir(group, { recursive: true });
    if (await pathExists(join(group, file))) await writeFile(join(group, file), String(value));
  }
}
