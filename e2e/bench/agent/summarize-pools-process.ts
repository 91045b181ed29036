/**
 * Process that summarizes pools as the controller does. Runs under Bun. Arguments: numbers of pools, addresses, Nodes and passes.
 * Writes the CPU time of each pass in milliseconds. Before a pass one address changes.
 */
import { NodeIndex } from "../../../plugin/controller/node-index.ts";
import { summarizePools } from "../../../plugin/controller/pool-status.ts";
import { parseCidr, parseIp } from "../../../plugin/datapath/address.ts";
import { underlayAddress, underlayPool } from "../../../plugin/kubernetes/objects.ts";

const [pools = 0, addresses = 0, nodes = 0, passes = 0] = process.argv.slice(2).map(Number);
const perPool = addresses / pools;
const poolObjects = Array.from({ length: pools }, (_, index) =>
  underlayPool.parse({
    metadata: { name: `pool-${index}`, uid: `pool-${index}`, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { subnet: `10.${index}.0.0/16`, ranges: [`10.${index}.0.0/17`], gateway: `10.${index}.255.254` },
  }),
);
const createAddress = (index: number, node: string) => {
  const [pool, nth] = [Math.floor(index / perPool), (index % perPool) + 1];
  const address = `10.${pool}.${nth >> 8}.${nth & 255}`;
  return underlayAddress.parse({
    metadata: { name: address, uid: `${address}-${node}` },
    spec: {
      ...{ address, pool: `pool-${pool}`, node, containerId: `container-${index}`, ifname: "eth0" },
      pod: { namespace: "bench", name: `pod-${index}`, uid: `uid-${index}` },
    },
  });
};
const addressObjects = Array.from({ length: addresses }, (_, index) => createAddress(index, `node-${index % nodes}`));
const occupants = Array.from({ length: nodes }, (_, index) => ({
  address: parseIp(`192.168.${index >> 8}.${index & 255}`),
  by: `Node node-${index}`,
}));
const view = {
  underlayPools: { values: () => poolObjects },
  underlayAddresses: { values: () => addressObjects },
} as unknown as Parameters<typeof summarizePools>[0];

const times: number[] = [];
for (let pass = 0; pass < passes; pass++) {
  addressObjects[pass] = createAddress(pass, "another-node");
  const before = process.cpuUsage();
  const statuses = summarizePools(view, occupants);
  const index = new NodeIndex(occupants.map(({ address, by }) => ({ name: by, addresses: [address] })));
  for (const { spec } of poolObjects) index.countOutside(parseCidr(spec.subnet));
  const { user, system } = process.cpuUsage(before);
  const used = [...statuses.values()].reduce((sum, status) => sum + status.used, 0);
  if (used !== addresses) throw new Error(`${used} of ${addresses} addresses were counted`);
  times.push((user + system) / 1000);
}
process.stdout.write(JSON.stringify(times));
