import { z } from "zod";

const nodeSchema = z.object({
  name: z.string(),
  os: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  runtime: z.string(),
  kubelet: z.string(),
});

/** Components that were found in a cluster. */
export const componentsSchema = z.object({
  nodes: z.array(nodeSchema),
  /** DaemonSets of the datapath: kube-proxy, and those that mount a directory of CNI. */
  daemonSets: z.array(
    z.object({
      namespace: z.string(),
      name: z.string(),
      images: z.array(z.string()),
      desired: z.number().int(),
      ready: z.number().int(),
    }),
  ),
  /** Images of the pods in kube-system and in the namespaces of these DaemonSets. */
  images: z.array(
    z.object({
      image: z.string(),
      /** The runtime's id with the digest, from the status of the pods; absent if the runtime reports no digest. */
      imageID: z.string().exactOptional(),
    }),
  ),
  /** CustomResourceDefinitions with their served versions. */
  crds: z.array(z.object({ name: z.string(), versions: z.array(z.string()) })),
  /** Files in /etc/cni/net.d and the nodes that have them. */
  cniConfigurations: z.array(z.object({ file: z.string(), sha256: z.string(), nodes: z.array(z.string()) })),
  /** One sentence for each part that could not be read. */
  missing: z.array(z.string()),
});
export type ClusterComponents = z.infer<typeof componentsSchema>;

/** The code of the suite that made a run. */
export const suiteSchema = z.object({
  version: z.string(),
  /** Commit; absent if the suite is a copy without history. */
  commit: z.string().exactOptional(),
  /** Whether files differ from the commit. */
  modified: z.boolean().exactOptional(),
});
export type SuiteVersion = z.infer<typeof suiteSchema>;

/** Returns `0.1.0, commit 0123456789ab with changes`. */
export function formatSuiteVersion({ version, commit, modified }: SuiteVersion): string {
  if (commit === undefined) return `${version}, commit unknown`;
  return `${version}, commit ${commit.slice(0, 12)}${modified === true ? " with changes" : ""}`;
}
