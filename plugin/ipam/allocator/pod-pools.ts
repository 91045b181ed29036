import type { PodObject } from "../../kubernetes/objects.ts";
import { parsePools } from "../pool/parse-pools.ts";
import { restrictToNamespace } from "../pool/reservations.ts";
import { type Pool, selectPools } from "../pool/select-pools.ts";
import { type AddressStore, isApiError } from "../records/address-store.ts";
import type { IpamRequest } from "../records/ipam-request.ts";
import { createNoPoolError } from "./errors.ts";

const POOLS_ANNOTATION = "interlay.dev/pools";

type Annotations = Readonly<Record<string, string>>;

/** Lists the pools that a pod names for one of its NICs; the annotation without a NIC is for all others. */
export function parsePoolNames(annotations: Annotations, ifname?: string): readonly string[] {
  const nicPools = ifname === undefined ? undefined : annotations[`${POOLS_ANNOTATION}.${ifname}`];
  return (nicPools ?? annotations[POOLS_ANNOTATION] ?? "").split(/[\s,]+/).filter((name) => name !== "");
}

/**
 * Selects the pools that a pod may use for one NIC, preferred first. The namespace's annotation is the default for pods that name
 * no pool in a network without a list.
 *
 * @throws CniError noAddress if no pool is usable
 */
export async function selectPodPools(
  store: AddressStore,
  request: IpamRequest,
  pod: PodObject,
): Promise<readonly Pool[]> {
  const { valid } = parsePools(store.listPools());
  const named = parsePoolNames(pod.metadata.annotations, request.ifname);
  const useDefault = named.length === 0 && request.pools.length === 0;
  const needsLabels = valid.some(({ selection }) => selection.namespaces !== undefined);
  const namespace =
    useDefault || needsLabels ? await readNamespace(store, request.pod.namespace, needsLabels) : WITHOUT_METADATA;
  const preferredPools = useDefault ? parsePoolNames(namespace.annotations) : named;
  const selected = selectPools(valid, {
    node: { name: store.node, labels: store.getNodeLabels() },
    namespace: { name: request.pod.namespace, labels: namespace.labels },
    podLabels: pod.metadata.labels,
    network: request.network,
    networkPools: request.pools,
    preferredPools,
  });
  if (selected.length === 0) throw createNoPoolError(request, preferredPools);
  return selected.map((pool) => restrictToNamespace(pool, request.pod.namespace));
}

interface NamespaceMetadata {
  readonly labels: Annotations;
  readonly annotations: Annotations;
}
const WITHOUT_METADATA: NamespaceMetadata = { labels: {}, annotations: {} };

/** Without the API server, an unread namespace has no default pools; its labels cannot be assumed. */
function readNamespace(store: AddressStore, name: string, needsLabels: boolean): Promise<NamespaceMetadata> {
  return store.readNamespaceMetadata(name).catch((error: unknown) => {
    if (needsLabels || isApiError(error)) throw error;
    return WITHOUT_METADATA;
  });
}
