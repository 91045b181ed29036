import type { Measurement } from "../measurement/measurement.ts";
import { computePercentile, median, roundToTenth } from "../measurement/statistics.ts";
import type { NodePrograms } from "./node-programs.ts";

/** No further ADD begins after this time, because a slow plugin would need an hour. */
const DEADLINE_MS = 240_000;

type ComparedPlugin = "interlay-ipam" | "calico-ipam" | "whereabouts";

/** An ADD of one plugin: the program, its configuration on a node, and what its calls share. */
export interface PluginUnderTest {
  readonly name: ComparedPlugin;
  /** Path of the plugin. */
  readonly program: string;
  readonly buildConfig: (node: string) => object;
  /** Size of the pool, for the table. */
  readonly pool: string;
}

const buildRateName = (plugin: ComparedPlugin, nodes: number): string => `${plugin}'s ADD, ${nodes} nodes`;

/** Measures ADDs per second through the plugin's program: on all nodes at once, on each one after another, for each of its pods. */
export async function measurePluginRate(
  { name, program, buildConfig, pool }: PluginUnderTest,
  nodes: readonly NodePrograms[],
): Promise<readonly Measurement[]> {
  const addresses: string[] = [];
  const times: number[] = [];
  const reasons: string[] = [];
  const started = performance.now();
  await Promise.all(
    nodes.map(async ({ node, pods, add }) => {
      const config = buildConfig(node);
      for (const pod of pods) {
        if (performance.now() - started > DEADLINE_MS) return;
        try {
          const answer = await add(program, config, pod);
          addresses.push(...answer.addresses);
          times.push(answer.milliseconds);
        } catch (error) {
          reasons.push(String(error));
        }
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  if (reasons[0] !== undefined) process.stderr.write(`the first of ${reasons.length} failures: ${reasons[0]}\n`);
  if (times.length === 0) throw new Error(reasons[0] ?? `${name} gave no address`);
  const duplicates = addresses.length - new Set(addresses).size;
  const requested = nodes.reduce((sum, { pods }) => sum + pods.length, 0);
  const basis = `${addresses.length} of ${requested} addresses in ${Math.round(seconds)} s, ${pool}; a call at once on each of ${nodes.length} simulated nodes`;
  const limit = name === "interlay-ipam" ? { limit: 0 } : {};
  const rateName = buildRateName(name, nodes.length);
  return [
    { name: rateName, value: roundToTenth(addresses.length / seconds), unit: "/s", basis },
    { name: `${rateName}, p50`, value: roundToTenth(median(times)), unit: "ms", basis },
    {
      name: `${rateName}, p99`,
      value: roundToTenth(computePercentile(times, 0.99)),
      unit: "ms",
      basis,
    },
    {
      name: `${rateName}, failed or allocated twice`,
      value: reasons.length + duplicates,
      unit: "failures",
      ...limit,
      basis,
    },
  ];
}

/**
 * Compares ADDs per second of interlay-ipam with those of the others; a limit is a maximum, so the others' part is limited.
 * A plugin that was not measured has no row.
 */
export function comparePluginRates(measurements: readonly Measurement[], nodes: number): readonly Measurement[] {
  const findRate = (plugin: ComparedPlugin) =>
    measurements.find(({ name }) => name === buildRateName(plugin, nodes))?.value ?? 0;
  const interlayRate = findRate("interlay-ipam");
  return (
    [
      ["whereabouts", 1 / 10],
      ["calico-ipam", 1 / 4],
    ] as const
  ).flatMap(([comparedPlugin, limit]) =>
    interlayRate === 0 || findRate(comparedPlugin) === 0
      ? []
      : [
          {
            name: `ADDs per second, ${comparedPlugin} / interlay-ipam`,
            value: Math.round((1000 * findRate(comparedPlugin)) / interlayRate) / 1000,
            unit: "x" as const,
            limit,
            basis: `through the plugins' programs, a call at once on each of ${nodes} simulated nodes`,
          },
        ],
  );
}
