import type { Progress } from "../../../clusters/progress/progress.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { installWhereabouts } from "../../ipam/install-whereabouts.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { describeCalls, measureRate } from "./measure-add.ts";
import type { IpamCalls } from "./ipam-calls.ts";

/** Measures the ADD of whereabouts with the same API server, on one node. */
export async function measureWhereabouts(
  cluster: Cluster,
  calls: IpamCalls,
  progress: Progress,
): Promise<readonly Measurement[]> {
  const { program, buildIpam } = await installWhereabouts(cluster, progress);
  const config = { type: "whereabouts", ipam: buildIpam({ range: "10.61.0.0/16" }) };
  const rate = await measureRate((index) => calls.call(program, "ADD", `whereabouts-${index}`, config, `w${index}`));
  return [{ name: "whereabouts' ADD, 1 node", value: rate, unit: "/s", basis: describeCalls("one node") }];
}

/** Compares ADDs per second of interlay-ipam with those of the others; a limit is a maximum, so the others' part is limited. */
export function compareRates(measurements: readonly Measurement[]): readonly Measurement[] {
  const findRate = (name: string) => measurements.find((one) => one.name === `${name}, 1 node`)?.value ?? 0;
  const ours = findRate("interlay-ipam's ADD");
  return (
    [
      ["whereabouts", "whereabouts' ADD", 1 / 10],
      ["calico-ipam", "calico-ipam's ADD", 1 / 4],
    ] as const
  ).map(([other, name, limit]) => ({
    name: `ADDs per second, ${other} / interlay-ipam`,
    value: Math.round((1000 * findRate(name)) / ours) / 1000,
    unit: "x",
    limit,
    basis: describeCalls("one node"),
  }));
}
