import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { VERSIONS } from "../../../clusters/components/catalog.ts";
import { buildInterlayExecutables } from "../../../clusters/components/interlay-executables.ts";
import { resolveComponents } from "../../../clusters/components/resolve.ts";
import type { Progress } from "../../../clusters/progress/progress.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { installWhereabouts } from "../../ipam/install-whereabouts.ts";
import { linkProgram } from "./node-programs.ts";
import type { PluginUnderTest } from "./plugin-rate.ts";

/** Pool of interlay-ipam and range of whereabouts: exactly 1,000 addresses. */
export const COMPARED_POOL = { name: "compared", subnet: "10.62.0.0/16", first: "10.62.1.1", last: "10.62.4.232" };
const EXACT = "a pool of exactly 1,000";

/** Prepares interlay-ipam. @param directory where its link is created */
export async function prepareInterlayIpam(directory: string, progress: Progress): Promise<PluginUnderTest> {
  const { launcher } = await buildInterlayExecutables(progress);
  const config = { type: "interlay-ipam", ipam: { type: "interlay-ipam", pools: [COMPARED_POOL.name] } };
  return {
    name: "interlay-ipam",
    program: await linkProgram(launcher, directory, "interlay-ipam"),
    buildConfig: () => config,
    pool: EXACT,
  };
}

/** Prepares calico-ipam, with the lab's own pool: it allocates blocks of 64, so that ten nodes do not fit in 1,000 addresses. */
export async function prepareCalicoIpam(
  cluster: Cluster,
  directory: string,
  progress: Progress,
): Promise<PluginUnderTest> {
  const components = await resolveComponents([{ name: "calico-cni", version: VERSIONS.calico }], progress);
  return {
    name: "calico-ipam",
    program: await linkProgram(components.path("calico-cni"), directory, "calico-ipam"),
    buildConfig: (nodename) => ({
      type: "calico",
      log_level: "error",
      log_file_path: join(directory, "calico.log"),
      datastore_type: "kubernetes",
      nodename,
      ipam: { type: "calico-ipam", assign_ipv4: "true" },
      policy: { type: "k8s" },
      kubernetes: { kubeconfig: cluster.kubeconfig },
      ipam_lock_file: join(directory, `${nodename}.lock`),
    }),
    pool: "a pool of 16,384",
  };
}

/** Prepares whereabouts, with its CRDs. */
export async function prepareWhereabouts(
  cluster: Cluster,
  directory: string,
  progress: Progress,
): Promise<PluginUnderTest> {
  const { component, buildIpam } = await installWhereabouts(cluster, progress);
  const { subnet: range, first: range_start, last: range_end } = COMPARED_POOL;
  const configuration_path = join(directory, "whereabouts.conf");
  const kubernetes = { kubeconfig: cluster.kubeconfig };
  await writeFile(configuration_path, JSON.stringify({ datastore: "kubernetes", kubernetes }));
  const ipam = { ...buildIpam({ range, range_start, range_end }), configuration_path, kubernetes };
  return { name: "whereabouts", program: component, buildConfig: () => ({ type: "whereabouts", ipam }), pool: EXACT };
}
