import type { Progress } from "../../../clusters/progress/progress.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { installWhereabouts } from "../../ipam/install-whereabouts.ts";
import type { PluginUnderTest } from "./plugin-rate.ts";

/** Pool of interlay-ipam and range of whereabouts: exactly 1,000 addresses. */
export const COMPARED_POOL = { name: "compared", subnet: "10.62.0.0/16", first: "10.62.1.1", last: "10.62.4.232" };
const EXACT = "a pool of exactly 1,000";

export const interlayIpam: PluginUnderTest = {
  name: "interlay-ipam",
  program: "interlay-ipam",
  buildConfig: () => ({ ipam: { type: "interlay-ipam", pools: [COMPARED_POOL.name] } }),
  pool: EXACT,
};

/** calico-ipam, with the lab's own pool: it allocates blocks of 64, so that ten nodes do not fit in 1,000 addresses. */
export const calicoIpam: PluginUnderTest = {
  name: "calico-ipam",
  program: "calico-ipam",
  buildConfig: (nodename) => ({
    log_level: "error",
    datastore_type: "kubernetes",
    nodename,
    ipam: { type: "calico-ipam", assign_ipv4: "true" },
    policy: { type: "k8s" },
    kubernetes: { kubeconfig: "/etc/cni/net.d/calico-kubeconfig" },
    ipam_lock_file: `/run/calico-ipam-${nodename}.lock`,
  }),
  pool: "a pool of 16,384",
};

/** Installs whereabouts. */
export async function prepareWhereabouts(cluster: Cluster, progress: Progress): Promise<PluginUnderTest> {
  const { program, buildIpam } = await installWhereabouts(cluster, progress);
  const { subnet: range, first: range_start, last: range_end } = COMPARED_POOL;
  const ipam = buildIpam({ range, range_start, range_end });
  return { name: "whereabouts", program, buildConfig: () => ({ type: "whereabouts", ipam }), pool: EXACT };
}
