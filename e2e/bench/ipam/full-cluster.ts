import pLimit from "p-limit";
import { createAddress } from "../../../plugin/ipam/records/write-address.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { GROUP_VERSION, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { roundToHundredth } from "../measurement/statistics.ts";

const POOLS = 200;
const ADDRESSES_PER_POOL = 250;
const NAMESPACE = "filled";
const PARALLEL = 16;
const MEASURED = "10 nodes at once, exact pool: all";

/** Creates 200 pools of another namespace, each with 250 addresses in use on nodes that exist only by name. */
export async function fillCluster(kube: KubeClient): Promise<void> {
  const limit = pLimit(PARALLEL);
  const pools = Array.from({ length: POOLS }, (_, index) => ({ name: `filled-${index}`, prefix: `172.16.${index}` }));
  await limit.map(pools, ({ name, prefix }) =>
    kube.create(RESOURCE.underlayPools, {
      apiVersion: GROUP_VERSION,
      kind: "UnderlayPool",
      metadata: { name },
      spec: { subnet: `${prefix}.0/24`, ranges: [`${prefix}.1-${prefix}.250`], namespaces: [NAMESPACE] },
    }),
  );
  const addresses = pools.flatMap(({ name, prefix }) =>
    Array.from({ length: ADDRESSES_PER_POOL }, (_, index) => ({ pool: name, address: `${prefix}.${index + 1}` })),
  );
  await limit.map(addresses, ({ pool, address }) =>
    createAddress(kube, address, {
      address,
      pool,
      node: `other-${pool}`,
      containerId: address,
      ifname: "eth0",
      network: "",
      pod: { namespace: NAMESPACE, name: address, uid: address },
    }),
  );
}

/** Compares the time of 1,000 addresses with that in a cluster without other addresses. */
export function compareWithEmpty(
  empty: readonly Measurement[],
  filled: readonly Measurement[],
): readonly Measurement[] {
  const findTime = (measurements: readonly Measurement[]) => measurements.find(({ name }) => name === MEASURED)?.value;
  const [without, within] = [findTime(empty), findTime(filled)];
  if (without === undefined || within === undefined) throw new Error(`the time of "${MEASURED}" is missing`);
  return [
    ...filled.map((measurement) => ({ ...measurement, name: `50,000 addresses in use, ${measurement.name}` })),
    {
      name: `${MEASURED}, with 50,000 addresses in use / without`,
      value: roundToHundredth(within / without),
      unit: "x",
      limit: 1.2,
      basis: "addresses in use are of 200 other pools",
    },
  ];
}
