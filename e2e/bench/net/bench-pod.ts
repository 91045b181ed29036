import type { InterlayParts } from "./parts.ts";

/** An end of a path. */
export interface BenchPod {
  readonly node: string;
  readonly netns: string;
  readonly address: string;
  readonly parts: InterlayParts;
}

/** Ports of the servers in each pod. */
export const IPERF_PORT = 5201;
export const SOCKPERF_PORT = 11111;
