import { join } from "node:path";
import { z } from "zod";
import { findBun } from "../../../plugin/deploy/compile.ts";
import { execLocally } from "../../../plugin/testing/exec.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { median, roundToTenth } from "../measurement/statistics.ts";

const SIZE = { pools: 200, addresses: 50_000, nodes: 5000, passes: 20 } as const;
const LIMIT_MS = 100;
const times = z.array(z.number()).length(SIZE.passes);

/** Measures the CPU time in which the controller summarizes the pools of a large cluster after a change of one address. */
export function measurePoolStatus(): Measurement {
  const script = join(import.meta.dirname, "summarize-pools-process.ts");
  const passes = times.parse(JSON.parse(execLocally([findBun(), script, ...Object.values(SIZE).map(String)])));
  return {
    name: "pool status: CPU",
    value: roundToTenth(median(passes)),
    unit: "ms",
    limit: LIMIT_MS,
    basis: `${SIZE.pools} pools, ${SIZE.addresses} addresses and ${SIZE.nodes} nodes; median of ${SIZE.passes} passes`,
  };
}
