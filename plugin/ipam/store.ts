import type { PodObject, UnderlayAddressObject, UnderlayAddressSpec, UnderlayPoolObject } from "../agent/objects.ts";

type Labels = Readonly<Record<string, string>>;

/** What allocation needs of the cluster. Reads are of what is followed and cost nothing; writes are one request each. */
export interface AddressStore {
  readonly node: string;
  /** False: nothing has been listed yet, so nothing can be said to be free. */
  isSynced(): boolean;
  nodeLabels(): Labels;
  namespaceLabels(namespace: string): Promise<Labels>;
  pools(): readonly UnderlayPoolObject[];
  address(name: string): UnderlayAddressObject | undefined;
  addresses(): readonly UnderlayAddressObject[];
  /** Undefined: there is no such pod. */
  pod(namespace: string, name: string, uid: string): Promise<PodObject | undefined>;
  /** As `pod`, by what is followed alone. */
  cachedPod(namespace: string, name: string): PodObject | undefined;
  /** Held under this pod's name, from the API server itself: what is followed may be late. */
  addressesOf(namespace: string, name: string): Promise<readonly UnderlayAddressObject[]>;
  /** Undefined: the name is taken. The API server gives each name once: that is the lock. */
  create(name: string, spec: UnderlayAddressSpec): Promise<UnderlayAddressObject | undefined>;
  /** Undefined: it has been changed or deleted since it was read. */
  replace(object: UnderlayAddressObject, spec: UnderlayAddressSpec): Promise<UnderlayAddressObject | undefined>;
  /** Only as it was read: what has been given to another since stays. */
  remove(object: UnderlayAddressObject): Promise<boolean>;
}

/** True of errors that are the API server's answer; others mean that it, or its etcd, could not be asked. */
export function isApiError(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("status" in error)) return false;
  return typeof error.status === "number" && error.status < 500 && error.status !== 429;
}
