import { z } from "zod";
import { parsePoolNames } from "../ipam/allocator/pod-pools.ts";
import { type Pool, selectPools } from "../ipam/pool/select-pools.ts";
import type { SetRequest } from "../ipam/sets/plan-sets.ts";
import { listPodNetworks, parseDefinitionPools } from "../ipam/annotations/pod-networks.ts";
import { parseSetSize, SET_ANNOTATION } from "../ipam/annotations/set-size.ts";
import type { WorkloadReference } from "../ipam/annotations/workload.ts";
import { objectMeta, type ObjectMeta } from "../kubernetes/object-meta.ts";

const strings = z.record(z.string(), z.string()).default({});

/** Fields of a workload on which the size and the pools of its set depend. */
const workloadSchema = z.object({
  metadata: objectMeta.extend({ deletionTimestamp: z.string().optional() }),
  spec: z.object({
    replicas: z.number().optional(),
    parallelism: z.number().optional(),
    template: z.object({
      metadata: z.object({ labels: strings, annotations: strings }).default({ labels: {}, annotations: {} }),
      spec: z.object({ nodeSelector: strings }).default({ nodeSelector: {} }),
    }),
  }),
  status: z
    .object({
      desiredNumberScheduled: z.number().default(0),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .default({ desiredNumberScheduled: 0, conditions: [] }),
});
export type WorkloadObject = z.infer<typeof workloadSchema>;

/** Parses a workload; undefined if its template requests no set. */
export function parseWorkloadObject(object: unknown): WorkloadObject | undefined {
  const parsed = workloadSchema.parse(object);
  return parsed.spec.template.metadata.annotations[SET_ANNOTATION] === undefined ? undefined : parsed;
}

/** A workload whose template requests a set. */
export interface SetTemplate {
  readonly workload: WorkloadReference;
  readonly replicas: number;
  readonly template: WorkloadObject["spec"]["template"];
}

/** A kind of workload with its API. */
interface WorkloadKind {
  readonly group: string;
  readonly kind: string;
  readonly api: string;
  readonly plural: string;
  /** Reads the template; undefined if the workload is deleted or has ended. */
  readonly read: (object: WorkloadObject) => SetTemplate | undefined;
}

const countReplicas = ({ spec }: WorkloadObject): number => spec.replicas ?? 1;
const countNodes = ({ status }: WorkloadObject): number => status.desiredNumberScheduled;
const hasEnded = ({ status }: WorkloadObject): boolean =>
  status.conditions.some(({ type, status: value }) => ["Complete", "Failed"].includes(type) && value === "True");

/** Kinds of workloads that may have a set; kinds that the cluster does not serve have none. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  createKind("apps", "v1", "Deployment", "deployments", countReplicas),
  createKind("apps", "v1", "StatefulSet", "statefulsets", countReplicas),
  createKind("apps", "v1", "DaemonSet", "daemonsets", countNodes),
  createKind("batch", "v1", "Job", "jobs", ({ spec }) => spec.parallelism ?? 1),
  createKind("apps.kruise.io", "v1alpha1", "CloneSet", "clonesets", countReplicas),
  createKind("apps.kruise.io", "v1beta1", "StatefulSet", "statefulsets", countReplicas),
  createKind("apps.kruise.io", "v1alpha1", "DaemonSet", "daemonsets", countNodes),
  createKind("kubevirt.io", "v1", "VirtualMachine", "virtualmachines", () => 1),
];

function createKind(
  group: string,
  version: string,
  kind: string,
  plural: string,
  count: (object: WorkloadObject) => number,
): WorkloadKind {
  const read = (object: WorkloadObject): SetTemplate | undefined => {
    const { metadata, spec } = object;
    if (metadata.deletionTimestamp !== undefined || hasEnded(object)) return undefined;
    const workload = { group, kind, namespace: metadata.namespace ?? "", name: metadata.name };
    return { workload, replicas: count(object), template: spec.template };
  };
  return { group, kind, api: `/apis/${group}/${version}`, plural, read };
}

/**
 * Builds the request for a workload's set. Only the template's nodeSelector determines on which nodes its pods may run: a pool for some
 * nodes serves the set if that selector contains the pool's labels.
 *
 * @param definitions configurations of NetworkAttachmentDefinitions by `namespace/name`
 *
 * @throws if the annotation is invalid or names no network with interlay-ipam
 */
export function buildSetRequest(
  { workload, replicas, template }: SetTemplate,
  namespace: Pick<ObjectMeta, "labels" | "annotations">,
  pools: readonly Pool[],
  definitions: ReadonlyMap<string, string>,
): SetRequest {
  const { annotations, labels } = template.metadata;
  const size = parseSetSize(annotations[SET_ANNOTATION] ?? "", replicas);
  const nics = listPodNetworks(annotations, workload.namespace).flatMap(
    ({ namespace: networkNamespace, name, ifname }) => {
      const config = definitions.get(`${networkNamespace}/${name}`);
      const definition = config === undefined ? undefined : parseDefinitionPools(config, name);
      if (definition === undefined) return [];
      const podPools = parsePoolNames(annotations, ifname);
      const preferredPools =
        podPools.length > 0 || definition.pools.length > 0 ? podPools : parsePoolNames(namespace.annotations);
      const selected = selectPools(pools, {
        node: { name: "", labels: template.spec.nodeSelector },
        namespace: { name: workload.namespace, labels: namespace.labels },
        podLabels: labels,
        network: definition.network,
        networkPools: definition.pools,
        preferredPools,
      });
      return [{ ifname, network: definition.network, pools: selected }];
    },
  );
  if (nics.length === 0) throw new Error("its template names no network with interlay-ipam");
  return { workload, size, nics };
}
