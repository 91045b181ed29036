import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";

/** Clock ticks per second in /proc/PID/stat. */
export const TICKS_A_SECOND = 100;

interface Memory {
  /** Resident memory in bytes. */
  readonly now: number;
  /** Peak since the process started, or since its last reset, in bytes. */
  readonly peak: number;
}

const kilobytes = z.coerce.number();

/** Reads the memory of a process on a node. */
export async function readMemory(cluster: Cluster, node: string, pid: string): Promise<Memory> {
  const status = await runOnNode(cluster, node, ["cat", `/proc/${pid}/status`]);
  const read = (field: string): number =>
    1024 * kilobytes.parse(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

/** Reads the fields of /proc/PID/stat from the third on; the second one, the name, may contain blanks. */
export async function readStat(cluster: Cluster, node: string, pid: string): Promise<readonly string[]> {
  const text = await runOnNode(cluster, node, ["cat", `/proc/${pid}/stat`]);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
