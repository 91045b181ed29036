import type { Measurement } from "../measurement/measurement.ts";
import { computePercentile, median, roundToTenth } from "../measurement/statistics.ts";
import type { IpamCalls } from "./ipam-calls.ts";

/** Addresses of each comparison. */
const PLUGIN_ADDRESSES = 1000;
const AT_ONCE = 10;
/** No further ADD begins after this time, because a slow plugin would need an hour. */
const DEADLINE_MS = 240_000;

type ComparedPlugin = "interlay-ipam" | "calico-ipam" | "whereabouts";

/** An ADD of one plugin: the program, its configuration on a node, and what its calls share. */
export interface PluginUnderTest {
  readonly name: ComparedPlugin;
  /** Path or name of the plugin. */
  readonly program: string;
  readonly buildConfig: (node: string) => object;
  /** Size of the pool, for the table. */
  readonly pool: string;
}

const buildRateName = (plugin: ComparedPlugin, nodes: number): string => `${plugin}'s ADD, ${nodes} nodes`;

/** Measures ADDs per second through the plugin's program: ten at once, as many on each node. */
export async function measurePluginRate(
  { name, program, buildConfig, pool }: PluginUnderTest,
  nodes: readonly IpamCalls[],
): Promise<readonly Measurement[]> {
  const queue = Array.from({ length: PLUGIN_ADDRESSES }, (_, index) => index).values();
  const givenAddresses: string[] = [];
  const times: number[] = [];
  const reasons: string[] = [];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, lane) => {
      const calls = nodes[lane % nodes.length];
      if (calls === undefined) throw new Error("the lab has no worker");
      for (const index of queue) {
        if (performance.now() - started > DEADLINE_MS) return;
        try {
          const id = `${name}-${index}`;
          const answer = await calls.call(program, "ADD", id, buildConfig(calls.node), `${name.slice(0, 1)}${index}`);
          givenAddresses.push(...answer.addresses);
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
  const duplicates = givenAddresses.length - new Set(givenAddresses).size;
  const basis = `${givenAddresses.length} of ${PLUGIN_ADDRESSES} addresses in ${Math.round(seconds)} s, ${pool}; ${AT_ONCE} calls at once on ${nodes.length} nodes`;
  const limit = name === "interlay-ipam" ? { limit: 0 } : {};
  return [
    {
      name: buildRateName(name, nodes.length),
      value: roundToTenth(givenAddresses.length / seconds),
      unit: "/s",
      basis,
    },
    { name: `${buildRateName(name, nodes.length)}, p50`, value: roundToTenth(median(times)), unit: "ms", basis },
    {
      name: `${buildRateName(name, nodes.length)}, p99`,
      value: roundToTenth(computePercentile(times, 0.99)),
      unit: "ms",
      basis,
    },
    {
      name: `${buildRateName(name, nodes.length)}, failed or allocated twice`,
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
            basis: `through the plugins' programs, ${AT_ONCE} calls at once on ${nodes} nodes`,
          },
        ],
  );
}
