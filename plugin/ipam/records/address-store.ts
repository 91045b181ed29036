import type {
  PodObject,
  UnderlayAddressObject,
  UnderlayAddressSpec,
  UnderlayPoolObject,
} from "../../kubernetes/objects.ts";

type SetOwner = NonNullable<UnderlayAddressSpec["set"]>;
type Labels = Readonly<Record<string, string>>;

/** Addresses of one block, by object name; it follows the API server. */
export interface BlockView {
  get(name: string): UnderlayAddressObject | undefined;
  values(): readonly UnderlayAddressObject[];
}

/** Cluster state that allocation needs. Reads come from caches unless stated otherwise; a write is one request. */
export interface AddressStore {
  readonly node: string;
  /** False until the first list has completed: no address may be called free before. */
  isSynced(): boolean;
  getNodeLabels(): Labels;
  readNamespaceMetadata(namespace: string): Promise<{ readonly labels: Labels; readonly annotations: Labels }>;
  listPools(): readonly UnderlayPoolObject[];
  /** Returns an address of this node. */
  getAddress(name: string): UnderlayAddressObject | undefined;
  /** Lists the addresses of this node. */
  listAddresses(): readonly UnderlayAddressObject[];
  /** Reads an address of any node from the API server. */
  readAddress(name: string): Promise<UnderlayAddressObject | undefined>;
  /** Follows the addresses of all nodes in one block. @throws if they cannot be listed */
  openBlock(block: string): Promise<BlockView>;
  /** Finds a pod; returns undefined if it does not exist. */
  findPod(namespace: string, name: string, uid: string): Promise<PodObject | undefined>;
  /** Finds a pod in the cache only, without a request. */
  getCachedPod(namespace: string, name: string): PodObject | undefined;
  /** Addresses held under this pod's name, read from the API server because caches may be stale. */
  listPodAddresses(namespace: string, name: string): Promise<readonly UnderlayAddressObject[]>;
  /** Addresses of a workload's set, read from the API server because caches may be stale. */
  listSetMembers(workload: SetOwner): Promise<readonly UnderlayAddressObject[]>;
  /**
   * Creates the object; the unique name is the lock.
   *
   * @param waiting calls of this node that wait for an address of the same block
   * @returns undefined if the name exists
   */
  createAddress(name: string, spec: UnderlayAddressSpec, waiting?: number): Promise<UnderlayAddressObject | undefined>;
  /** Replaces an address's spec; returns undefined if the object was changed or deleted since it was read. */
  replaceAddress(object: UnderlayAddressObject, spec: UnderlayAddressSpec): Promise<UnderlayAddressObject | undefined>;
  /** Deletes the object only if it is unchanged since it was read. */
  deleteAddress(object: UnderlayAddressObject): Promise<boolean>;
}

/** Returns true for errors that the API server returned, false for those that mean it, or its etcd, is unreachable. */
export function isApiError(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("status" in error)) return false;
  return typeof error.status === "number" && error.status < 500 && error.status !== 429;
}
