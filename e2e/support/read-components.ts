import {
  ApiextensionsV1Api,
  AppsV1Api,
  CoreV1Api,
  type V1DaemonSet,
  type V1Node,
  type V1Pod,
} from "@kubernetes/client-node";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { ClusterComponents } from "../../results/component-schema.ts";

const FIND_CONFIGURATIONS = "find /etc/cni/net.d -maxdepth 1 -type f -name *.conf* -exec sha256sum {} +".split(" ");

/** Reads the components of a cluster. What cannot be read is listed in `missing`. Changes nothing. */
export async function readComponents(cluster: Cluster): Promise<ClusterComponents> {
  const config = loadKubeConfig(cluster);
  const core = config.makeApiClient(CoreV1Api);
  const missing: string[] = [];
  const read = async <T>(kind: string, request: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> => {
    try {
      return (await request).items;
    } catch (error) {
      missing.push(`${kind}: ${getFirstLine(error)}`);
      return [];
    }
  };
  const [nodes, daemonSets, crds] = await Promise.all([
    read("nodes", core.listNode()),
    read("DaemonSets", config.makeApiClient(AppsV1Api).listDaemonSetForAllNamespaces()),
    read("CustomResourceDefinitions", config.makeApiClient(ApiextensionsV1Api).listCustomResourceDefinition()),
  ]);
  const datapath = daemonSets.filter(isDatapath);
  const namespaces = [...new Set(["kube-system", ...datapath.map((set) => set.metadata?.namespace ?? "")])];
  const pods = await Promise.all(
    namespaces.map((namespace) => read(`pods in ${namespace}`, core.listNamespacedPod({ namespace }))),
  );
  const images = listImages(pods.flat());
  const unidentified = images.filter(({ imageID }) => imageID === undefined).length;
  if (unidentified > 0) missing.push(`digests of ${unidentified} images: the container runtime reports none`);
  return {
    nodes: nodes.map(describeNode).sort((a, b) => a.name.localeCompare(b.name)),
    daemonSets: datapath.map(describeDaemonSet),
    images,
    crds: crds.map(({ metadata, spec }) => ({
      name: metadata?.name ?? "",
      versions: spec.versions.filter(({ served }) => served).map(({ name }) => name),
    })),
    cniConfigurations: await readConfigurations(cluster, missing),
    missing,
  };
}

/** Whether a DaemonSet is kube-proxy or mounts a directory of CNI from the node. */
export function isDatapath({ metadata, spec }: V1DaemonSet): boolean {
  const paths = (spec?.template.spec?.volumes ?? []).map(({ hostPath }) => hostPath?.path ?? "");
  return metadata?.name === "kube-proxy" || paths.some((path) => path.split(/[/.]/).includes("cni"));
}

/** Lists the images of running containers, each with its id only if that has a digest. Pure. */
export function listImages(pods: readonly V1Pod[]): ClusterComponents["images"] {
  const images = new Map<string, ClusterComponents["images"][number]>();
  for (const { status, spec } of pods) {
    const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    for (const { name, image: reported, imageID } of statuses) {
      const image = containers.find((container) => container.name === name)?.image ?? reported;
      const hasDigest = /sha256:[0-9a-f]{64}$/.test(imageID);
      images.set(`${image} ${hasDigest ? imageID : ""}`, hasDigest ? { image, imageID } : { image });
    }
  }
  return [...images.entries()].sort(([a], [b]) => a.localeCompare(b)).map(([, image]) => image);
}

function describeNode({ metadata, status }: V1Node): ClusterComponents["nodes"][number] {
  const info = status?.nodeInfo;
  return {
    name: metadata?.name ?? "",
    os: info?.osImage ?? "",
    kernel: info?.kernelVersion ?? "",
    architecture: info?.architecture ?? "",
    runtime: info?.containerRuntimeVersion ?? "",
    kubelet: info?.kubeletVersion ?? "",
  };
}

function describeDaemonSet({ metadata, spec, status }: V1DaemonSet): ClusterComponents["daemonSets"][number] {
  return {
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    images: (spec?.template.spec?.containers ?? []).map(({ image }) => image ?? ""),
    desired: status?.desiredNumberScheduled ?? 0,
    ready: status?.numberReady ?? 0,
  };
}

async function readConfigurations(
  cluster: Cluster,
  missing: string[],
): Promise<ClusterComponents["cniConfigurations"]> {
  if (cluster.nodeAccess !== undefined) {
    missing.push("CNI configurations: the suite has no access to the files of the nodes");
    return [];
  }
  const listings = await Promise.all(
    cluster.nodes.map(async ({ name }) => {
      try {
        const { exitCode, stdout, stderr } = await cluster.exec(name, FIND_CONFIGURATIONS);
        if (exitCode !== 0) throw new Error(stderr.trim() || `find ended with ${exitCode}`);
        return { node: name, stdout };
      } catch (error) {
        missing.push(`CNI configurations of ${name}: ${getFirstLine(error)}`);
        return { node: name, stdout: "" };
      }
    }),
  );
  return groupConfigurations(listings);
}

/**
 * Groups files of equal name and digest. Pure.
 * @param listings output of sha256sum for each node
 */
export function groupConfigurations(
  listings: readonly { readonly node: string; readonly stdout: string }[],
): ClusterComponents["cniConfigurations"] {
  const groups = new Map<string, ClusterComponents["cniConfigurations"][number]>();
  for (const { node, stdout } of listings)
    for (const [, sha256 = "", path = ""] of stdout.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)) {
      const file = path.slice(path.lastIndexOf("/") + 1);
      const group = groups.get(`${file} ${sha256}`) ?? { file, sha256, nodes: [] };
      group.nodes.push(node);
      groups.set(`${file} ${sha256}`, group);
    }
  return [...groups.entries()].sort(([a], [b]) => a.localeCompare(b)).map(([, group]) => group);
}

function getFirstLine(error: unknown): string {
  return getErrorMessage(error).split("\n")[0] ?? "";
}
