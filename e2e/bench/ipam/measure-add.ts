import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { median, roundToTenth } from "../measurement/statistics.ts";
import type { IpamCalls } from "./ipam-calls.ts";
import { createPools } from "./cluster-objects.ts";

const CALLS = 40;
const LIMIT_MS = 15;

/** Measures macvlan with interlay-ipam, host-local and static, alternately. */
export async function measureAdd([calls]: readonly IpamCalls[], kube: KubeClient): Promise<readonly Measurement[]> {
  if (calls === undefined) throw new Error("the lab has no worker");
  await createPools(kube, [{ name: "add", subnet: "10.7.0.0/16", ranges: ["10.7.220.0-10.7.223.255"] }]);
  const ipams = {
    "interlay-ipam": { type: "interlay-ipam", pools: ["add"] },
    "host-local": { type: "host-local", ranges: [[{ subnet: "10.7.0.0/16", rangeStart: "10.7.224.1" }]] },
    static: { type: "static", addresses: [{ address: "10.7.219.1/16" }] },
  };
  const samples: Record<keyof typeof ipams, number[]> = { "interlay-ipam": [], "host-local": [], static: [] };
  for (let call = 0; call < CALLS; call++)
    for (const name of ["interlay-ipam", "host-local", "static"] as const) {
      const id = `bench-${name}-${call}`;
      const config = { master: "eth0", mode: "bridge", ipam: ipams[name] };
      // A new interface name for each call: a known one would get its address without the API server.
      samples[name].push((await calls.call("macvlan", "ADD", id, config, `n${call}`)).milliseconds);
      await calls.call("macvlan", "DEL", id, config, `n${call}`);
    }
  const [interlayMs, localMs, staticMs] = [samples["interlay-ipam"], samples["host-local"], samples.static].map(median);
  const basis = `median of ${CALLS}, alternately, macvlan on a node of the lab`;
  return [
    { name: "macvlan's ADD with interlay-ipam", value: roundToTenth(interlayMs ?? 0), unit: "ms", basis },
    { name: "macvlan's ADD with host-local", value: roundToTenth(localMs ?? 0), unit: "ms", basis },
    { name: "macvlan's ADD with static", value: roundToTenth(staticMs ?? 0), unit: "ms", basis },
    {
      name: "interlay-ipam above static",
      value: roundToTenth((interlayMs ?? 0) - (staticMs ?? 0)),
      unit: "ms",
      limit: LIMIT_MS,
      basis,
    },
  ];
}
