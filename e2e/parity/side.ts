import type { V1Pod } from "@kubernetes/client-node";
import type { CellResult } from "../../results/schema.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getGateway } from "../../clusters/spec/address-ranges.ts";
import { type ClusterApi, clusterApi } from "../support/cluster-api.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { type NodeFilter, readAllFilters, switchVariant } from "../deployment/variant.ts";
import { type Deployment, deployPods } from "../deployment/deploy.ts";
import { NAMESPACE, podName } from "../pods/suite-pods.ts";
import { replaceNames, type NameMap } from "./replace-names.ts";
import { explainPod } from "../support/attachment-records.ts";

/** One of two clusters that are compared, with its pods. */
export interface ParitySide {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  readonly deployment: Deployment;
}

/** Compared state of a pod, with placeholders. */
export type PodState = Readonly<Record<"pod" | "routes" | "rules" | "plan", string>>;

export async function createSide(cluster: Cluster): Promise<ParitySide> {
  const api = clusterApi(cluster);
  return { cluster, api, deployment: await deployPods(cluster, api) };
}

/** Returns the state of every pod of the three types, by name. */
export async function readPodState(side: ParitySide): Promise<ReadonlyMap<string, PodState>> {
  const { cluster, api, deployment } = side;
  const names = buildNameMap(side);
  const pods = deployment.workers.flatMap((node, index) =>
    (["overlay", "underlay", "multi-nic"] as const).flatMap((type) =>
      (["a", "b"] as const).map((role) => ({ node, type, name: podName(type, index, role) })),
    ),
  );
  const podStates = pods.map(async ({ node, type, name }): Promise<readonly [string, PodState]> => {
    const inPod = async (...argv: readonly string[]) => replaceNames(await api.exec(NAMESPACE, name, argv), names);
    const showFamilies = async (object: string) =>
      (
        await Promise.all(
          deployment.families.map((family) => inPod("ip", family === "ipv6" ? "-6" : "-4", object, "show")),
        )
      ).join("");
    const plan =
      type === "overlay"
        ? "" // Interlay wires none
        : replaceNames((await explainPod(cluster, node, { namespace: NAMESPACE, name })).stdout, names);
    const pod = replaceNames(formatPod(await api.core.readNamespacedPod({ name, namespace: NAMESPACE })), names);
    return [name, { pod, routes: await showFamilies("route"), rules: await showFamilies("rule"), plan }];
  });
  return new Map(await Promise.all(podStates));
}

/** Returns a pod object without fields that differ between any two pods. */
function formatPod({ metadata, spec }: V1Pod): string {
  const annotations = Object.entries(metadata?.annotations ?? {})
    .filter(([name]) => name !== "cni.projectcalico.org/containerID")
    .sort();
  return JSON.stringify({ labels: metadata?.labels, annotations, spec }, undefined, 2);
}

interface VariantState {
  readonly results: readonly CellResult[];
  readonly filters: readonly NodeFilter[];
}

/** Switches the cluster to the variant, and probes every cell. */
export async function readVariantState({ cluster, deployment }: ParitySide, variant: Variant): Promise<VariantState> {
  await switchVariant(cluster, variant);
  const cells = listMatrixCells(deployment.workers.length, deployment.families);
  const results = await runCells(cells, variant, deployment, DEFAULT_RUN);
  return { results, filters: await readAllFilters(cluster, variant.kubeProxy.mode) };
}

/** Returns the placeholders of a cluster's addresses and names. */
function buildNameMap({ cluster, deployment }: ParitySide): NameMap {
  const { spec, nodes, probeImage } = cluster;
  const ranges = [spec, ...(spec.ipv6 === undefined ? [] : [spec.ipv6])];
  const getRole = (name: string) => name.replace(`${spec.name}-`, "");
  return new Map([
    [probeImage, "PROBE"],
    ...ranges.flatMap(({ overlayCidr, serviceCidr, underlayCidr }): [string, string][] => [
      [overlayCidr, "OVERLAY"],
      [serviceCidr, "SERVICES"],
      [underlayCidr, "UNDERLAY"],
      [getGateway(underlayCidr), "GATEWAY"],
    ]),
    ...nodes.flatMap(({ name, address, address6 }): [string, string][] => [
      [name, getRole(name)],
      [address, `ADDRESS(${getRole(name)})`],
      ...(address6 === undefined ? [] : [[address6, `ADDRESS6(${getRole(name)})`] as [string, string]]),
    ]),
    ...[...deployment.pods.values()]
      .filter(({ name }) => !name.startsWith("node-")) // these have their node's addresses
      .flatMap(({ name, addresses }): [string, string][] =>
        Object.entries(addresses).flatMap(([nic, byFamily]) =>
          Object.entries(byFamily).map(([family, address]): [string, string] => [
            address,
            `${name}(${nic}, ${family})`,
          ]),
        ),
      ),
  ]);
}
