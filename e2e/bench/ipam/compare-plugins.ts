import { join } from "node:path";
import type { Progress } from "../../../clusters/progress/progress.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { Measurement } from "../measurement/measurement.ts";
import type { AllocationContext } from "./allocations.ts";
import { clearAddresses, createPools } from "./cluster-objects.ts";
import { NodeFleet } from "./fleet.ts";
import { listNodePrograms } from "./node-programs.ts";
import { comparePluginRates, measurePluginRate, type PluginUnderTest } from "./plugin-rate.ts";
import { COMPARED_POOL, prepareCalicoIpam, prepareInterlayIpam, prepareWhereabouts } from "./plugins.ts";

const NODES = 10;
const PODS_PER_NODE = 100;

/** Measures a part of the benchmark, and records its rows. */
type MeasurePart = (part: string, run: () => Promise<readonly Measurement[]>) => Promise<void>;

/**
 * Compares ADDs through the programs of three plugins, one plugin after another: the same simulated nodes and pods, the same number
 * of calls at once. The agents of the nodes run all the time.
 */
export async function comparePlugins(
  cluster: Cluster,
  { kube, workers, directory, nodes }: Omit<AllocationContext, "metrics">,
  measure: MeasurePart,
  progress: Progress,
): Promise<void> {
  const { name, subnet, first, last } = COMPARED_POOL;
  await createPools(kube, [{ name, subnet, ranges: [`${first}-${last}`] }]);
  const fleetDirectory = join(directory, "compared");
  const names = nodes.slice(0, NODES);
  const fleet = await NodeFleet.start({
    ...workers,
    nodes: names.map((node) => ({ name: node, pods: PODS_PER_NODE })),
    directory: fleetDirectory,
  });
  const measurements: Measurement[] = [];
  try {
    const programs = await listNodePrograms(kube, fleetDirectory, names);
    const prepare: readonly (readonly [string, () => Promise<PluginUnderTest>])[] = [
      ["interlay-ipam", () => prepareInterlayIpam(fleetDirectory, progress)],
      ["calico-ipam", () => prepareCalicoIpam(cluster, fleetDirectory, progress)],
      ["whereabouts", () => prepareWhereabouts(cluster, fleetDirectory, progress)],
    ];
    for (const [part, create] of prepare)
      await measure(part, async () => {
        const rows = await measurePluginRate(await create(), programs);
        measurements.push(...rows);
        return rows;
      });
    await measure("comparison", () => Promise.resolve(comparePluginRates(measurements, NODES)));
  } finally {
    await fleet.end();
    await clearAddresses(kube);
  }
}
