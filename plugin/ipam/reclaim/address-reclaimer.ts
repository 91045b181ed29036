import { hasFinished } from "../../kubernetes/pod-phase.ts";
import { z } from "zod";
import { decideReclaim, type ReclaimDelays, type ReclaimDecision, type ReclaimState } from "./decide-reclaim.ts";
import { getFamily, parseIp } from "../../datapath/address.ts";
import { type Candidate, CheckSchedule } from "./check-schedule.ts";
import type { Records } from "../records/address-records.ts";
import { findSandboxState } from "../records/sandbox-state.ts";
import type { AddressStore } from "../records/address-store.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { inNamespace, podObject, RESOURCE, type UnderlayAddressObject } from "../../kubernetes/objects.ts";

const statefulSet = z.object({
  metadata: z.object({ uid: z.string() }),
  spec: z.object({
    replicas: z.number().default(1),
    ordinals: z.object({ start: z.number().default(0) }).default({ start: 0 }),
  }),
});

/** The part of the cluster's state that the reclaim reads and writes. */
export type ReclaimStore = Pick<
  AddressStore,
  "node" | "isSynced" | "listAddresses" | "listPodAddresses" | "getCachedPod" | "replaceAddress" | "deleteAddress"
>;
/** The node's records of its containers' addresses. */
export type ReclaimRecords = Pick<Records, "listRecords" | "find" | "remove">;

interface ReclaimCandidate {
  readonly key: string;
  readonly object: UnderlayAddressObject;
  readonly node: "own" | Candidate["node"];
}

const isOrphaned = (candidate: ReclaimCandidate): candidate is ReclaimCandidate & Candidate => candidate.node !== "own";

/** Finds addresses whose pod no longer exists and releases them by `decideReclaim`, after reading all state again. */
export class AddressReclaimer {
  readonly #kube: Pick<KubeClient, "find">;
  readonly #store: ReclaimStore;
  readonly #records: ReclaimRecords;
  readonly #attachments: string | undefined;
  /** Key of a candidate -> time since which its pod is known to be missing. */
  readonly #goneSince = new Map<string, number>();
  readonly #schedule = new CheckSchedule();
  /** StatefulSets that this pass has read, by `namespace/name`. */
  readonly #statefulSets = new Map<string, ReclaimState["statefulSet"]>();

  /** @param attachments directory of the node's attachments; this node's own by default */
  constructor(kube: Pick<KubeClient, "find">, store: ReclaimStore, records: ReclaimRecords, attachments?: string) {
    this.#attachments = attachments;
    this.#kube = kube;
    this.#store = store;
    this.#records = records;
  }

  /**
   * Checks this node's addresses and, in the controller, those of nodes that do not reclaim their own: of these a bounded number in
   * each pass.
   *
   * @param orphaned returns the state of another node; undefined in agents
   * @returns a line for each released address
   */
  async reclaimAddresses(
    delays: ReclaimDelays,
    orphaned?: (node: string) => "gone" | "silent" | "well",
    now = Date.now(),
  ): Promise<readonly string[]> {
    if (!this.#store.isSynced()) return [];
    this.#statefulSets.clear();
    const candidates = this.#listCandidates(orphaned);
    const due = [
      ...candidates.filter(({ node }) => node === "own"),
      ...this.#schedule.selectDue(candidates.filter(isOrphaned), delays.withoutNode, now),
    ];
    const lines: string[] = [];
    for (const { key, object, node } of due) {
      const { spec, metadata } = object;
      const verdict = await this.#decideAction(object, node, delays, { now, goneSince: this.#goneSince.get(key) });
      if (verdict.action === "keep") this.#goneSince.delete(key);
      if (verdict.action === "wait" && !this.#goneSince.has(key)) this.#goneSince.set(key, now);
      if (verdict.action === "release" && (await this.#releaseAddress(object))) {
        this.#records.remove(metadata.name);
        lines.push(`${spec.address} of ${spec.pod.namespace}/${spec.pod.name} on ${spec.node}: ${verdict.reason}`);
      }
    }
    const keys = new Set(candidates.map(({ key }) => key));
    for (const key of this.#goneSince.keys()) if (!keys.has(key)) this.#goneSince.delete(key);
    return lines;
  }

  /** Lists the addresses that may have to be released, as far as it is known without a request. */
  #listCandidates(orphaned?: (node: string) => "gone" | "silent" | "well"): readonly ReclaimCandidate[] {
    return this.#store.listAddresses().flatMap((object) => {
      const { spec, metadata } = object;
      const isOwn = spec.node === this.#store.node;
      const state = isOwn ? "own" : (orphaned?.(spec.node) ?? "well");
      if (state === "well") return [];
      if (isOwn && spec.reserve) return []; // the allocator manages the reserve
      if (spec.set !== undefined && spec.containerId === "") return []; // the leader manages free addresses of sets
      const cachedPod = isOwn ? this.#store.getCachedPod(spec.pod.namespace, spec.pod.name) : undefined;
      const podExists = cachedPod?.metadata.uid === spec.pod.uid && !hasFinished(cachedPod.status);
      if (podExists && !this.#isReplacedOnNode(object)) return [];
      return [{ key: `${metadata.uid} ${spec.pod.uid}`, object, node: state }];
    });
  }

  /** An address of a set stays in the set. */
  async #releaseAddress(object: UnderlayAddressObject): Promise<boolean> {
    const { spec } = object;
    if (spec.set === undefined) return this.#store.deleteAddress(object);
    return (await this.#store.replaceAddress(object, { ...spec, containerId: "" })) !== undefined;
  }

  async #decideAction(
    object: UnderlayAddressObject,
    node: ReclaimCandidate["node"],
    delays: ReclaimDelays,
    times: Pick<ReclaimState, "now" | "goneSince">,
  ): Promise<ReclaimDecision> {
    const { spec, metadata } = object;
    const pod = spec.reserve ? "gone" : await this.#readPod(spec.pod);
    const reclaimState: ReclaimState = {
      ...times,
      pod,
      node: node === "gone" ? "gone" : "present",
      sandbox: node === "own" ? findSandboxState(this.#records, object, this.#attachments) : "unknown",
      statefulSet:
        spec.owner?.kind === "StatefulSet" ? await this.#readStatefulSet(spec.pod.namespace, spec.owner.name) : "gone",
      replaced: typeof pod === "object" && (await this.#isReplaced(object, pod.uid)),
    };
    return decideReclaim(
      {
        podUid: spec.pod.uid,
        podName: spec.pod.name,
        containerId: spec.containerId,
        owner: spec.owner,
        conflict: spec.conflict,
        reserve: spec.reserve,
        created: Date.parse(metadata.creationTimestamp),
      },
      reclaimState,
      delays,
    );
  }

  /** Reads the pod from the API server: the informer's cache may be late, which must not count as deleted. */
  async #readPod({
    namespace,
    name,
  }: {
    readonly namespace: string;
    readonly name: string;
  }): Promise<ReclaimState["pod"]> {
    try {
      const podResponse = await this.#kube.find(inNamespace(RESOURCE.pods, namespace), name);
      if (podResponse === undefined) return "gone";
      const { metadata, status } = podObject.parse(podResponse);
      return hasFinished(status) ? "gone" : { uid: metadata.uid };
    } catch {
      return "unknown";
    }
  }

  async #readStatefulSet(namespace: string, name: string): Promise<ReclaimState["statefulSet"]> {
    const key = `${namespace}/${name}`;
    const state = this.#statefulSets.get(key) ?? (await this.#requestStatefulSet(namespace, name));
    this.#statefulSets.set(key, state);
    return state;
  }

  async #requestStatefulSet(namespace: string, name: string): Promise<ReclaimState["statefulSet"]> {
    try {
      const response = await this.#kube.find(inNamespace(RESOURCE.statefulSets, namespace), name);
      if (response === undefined) return "gone";
      const { metadata, spec } = statefulSet.parse(response);
      return { uid: metadata.uid, first: spec.ordinals.start, replicas: spec.replicas };
    } catch {
      return "unknown";
    }
  }

  /**
   * Reports whether the pod of that uid has another address on that NIC, in that family. Those of a pod that moved are another
   * node's, which this node does not follow: they are read from the API server, and a failed read reports none.
   */
  async #isReplaced(object: UnderlayAddressObject, uid: string): Promise<boolean> {
    const { pod } = object.spec;
    if (pod.uid === uid) return this.#isReplacedOnNode(object);
    const podAddresses = await this.#store.listPodAddresses(pod.namespace, pod.name).catch(() => []);
    return podAddresses.some(
      ({ metadata, spec }) =>
        spec.pod.uid === uid &&
        spec.conflict === undefined &&
        isInPlaceOf(object, { name: metadata.name, address: spec.address, ifname: spec.ifname }),
    );
  }

  /** For a pod of this node the record names the address that its container has; an address whose creation was not confirmed is another one. */
  #isReplacedOnNode(object: UnderlayAddressObject): boolean {
    const { uid } = object.spec.pod;
    return (
      this.#records.find(object.metadata.name) === undefined &&
      this.#records.listRecords().some((record) => record.pod.uid === uid && isInPlaceOf(object, record))
    );
  }
}

/** Returns true for another address of the same NIC and family. */
function isInPlaceOf(
  { metadata, spec }: UnderlayAddressObject,
  other: { readonly name: string; readonly address: string; readonly ifname: string },
): boolean {
  const isSameFamily = getFamily(parseIp(other.address)) === getFamily(parseIp(spec.address));
  return other.name !== metadata.name && other.ifname === spec.ifname && isSameFamily;
}
