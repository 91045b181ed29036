import { z } from "zod";
import { statusCode } from "../../clusters/kubernetes/status-code.ts";
import type { Cluster } from "../../clusters/provider.ts";
import { answered, type ClusterApi } from "../cluster-api.ts";
import { type Features, NO_FEATURES } from "../matrix/cells.ts";

/** Returns what a cluster has that not every cluster has. The suite attacks no cluster that it did not make. */
export async function findFeatures(cluster: Cluster, api: ClusterApi): Promise<Features> {
  const dns = await hasDns(api);
  if (cluster.provider === "existing" || cluster.datapath === "none") return { ...NO_FEATURES, dns };
  return {
    dns,
    vips: false,
    hostPorts: await mapsHostPorts(api),
    sourceGuard: true,
    forwardDrop: dropsForwarded(cluster.spec),
  };
}

/** Whether the cluster has the DNS Service that kubelet names in every pod's resolv.conf, with a server behind it. */
async function hasDns(api: ClusterApi): Promise<boolean> {
  const { items } = await answered(() =>
    api.core.listNamespacedEndpoints({ namespace: "kube-system", fieldSelector: "metadata.name=kube-dns" }),
  );
  return items.some(({ subsets = [] }) => subsets.some(({ addresses = [] }) => addresses.length > 0));
}

const network = z.object({ spec: z.object({ config: z.string() }) });
const conflist = z.object({ plugins: z.array(z.object({ type: z.string() })) });

/** Whether the underlay network that Interlay's agent writes has the plugin portmap; Calico's has it always. */
async function mapsHostPorts(api: ClusterApi): Promise<boolean> {
  const metadata = { namespace: "interlay-system", name: "underlay" };
  try {
    const object: unknown = await answered(() =>
      api.objects.read({ apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition", metadata }),
    );
    const { plugins } = conflist.parse(JSON.parse(network.parse(object).spec.config));
    return plugins.some(({ type }) => type === "portmap");
  } catch (error) {
    if (statusCode(error) === 404) return false;
    throw error;
  }
}

/** Whether the environment makes the nodes' FORWARD chain drop what no rule accepts. */
export function dropsForwarded({ environment }: Pick<Cluster["spec"], "environment">): boolean {
  const drops = (argv: readonly string[]) => /^-P FORWARD DROP$|^-A FORWARD -j REJECT$/.test(argv.join(" "));
  return environment?.spec.nodes?.iptables?.some(drops) ?? false;
}
