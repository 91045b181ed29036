import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestNode } from "../../../plugin/testing/invocation.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { computePercentile, roundToTenth } from "../measurement/statistics.ts";

/** How the launcher executes a call: in the agent, or without an agent in a process of interlay-full. */
export type CallMode = "agent" | "standalone";

interface LogLine {
  readonly command?: string;
  readonly mode: CallMode;
  readonly peakMemoryKiB?: number;
}

export const KIB_PER_MIB = 1024;

/** Checks that the last calls were executed in the measured mode. @throws an error if one was not */
export function requireMode(node: TestNode, mode: CallMode, calls: number): void {
  const otherCalls = readLog(node)
    .slice(-2 * calls)
    .filter((line) => line.mode !== mode);
  if (otherCalls.length > 0)
    throw new Error(`${otherCalls.length} of ${2 * calls} calls that were measured as "${mode}" were not`);
}

/** Returns the peak memory of all standalone calls, which each writes to its log line. */
export function measureMemory(node: TestNode): Measurement {
  const peaks = readLog(node).flatMap(({ peakMemoryKiB }) => (peakMemoryKiB === undefined ? [] : [peakMemoryKiB]));
  const peak = roundToTenth(computePercentile(peaks, 1) / KIB_PER_MIB);
  const basis = `VmHWM, maximum of ${peaks.length} calls`;
  return { name: "peak memory of a call, standalone", value: peak, unit: "MiB", limit: 80, basis };
}

function readLog(node: TestNode): readonly LogLine[] {
  return readFileSync(join(node.stateDirectory, "cni.log"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LogLine);
}
