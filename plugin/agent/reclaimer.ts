import { existsSync } from "node:fs";
import { z } from "zod";
import { listAttachments } from "../datapath/attachment.ts";
import { decideReclaim, type Delays, type Verdict, type World } from "../ipam/reclaim.ts";
import type { Records } from "../ipam/records.ts";
import type { AddressStore } from "../ipam/store.ts";
import type { Kube } from "./kube.ts";
import { inNamespace, podObject, RESOURCE, type UnderlayAddressObject } from "./objects.ts";

const statefulSet = z.object({
  metadata: z.object({ uid: z.string() }),
  spec: z.object({
    replicas: z.number().default(1),
    ordinals: z.object({ start: z.number().default(0) }).default({ start: 0 }),
  }),
});

/** Pods of these phases run no more. */
const ENDED = ["Succeeded", "Failed"];

/** Looks for addresses whose pod is gone and gives them back; by `decideReclaim`, with everything read anew. */
export class Reclaimer {
  readonly #kube: Pick<Kube, "find">;
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #attachments: string | undefined;
  /** Object uid -> since when its pod has been seen gone. */
  readonly #goneSince = new Map<string, number>();

  /** @param attachments directory of the node's attachments; this node's own by default */
  constructor(kube: Pick<Kube, "find">, store: AddressStore, records: Records, attachments?: string) {
    this.#attachments = attachments;
    this.#kube = kube;
    this.#store = store;
    this.#records = records;
  }

  /**
   * One pass over this node's addresses and, for the leader, those of nodes that do not look after their own.
   * @param orphaned undefined: this agent is not the leader; else whether that node is gone, or silent
   * @returns a line for each address that went back
   */
  async pass(
    delays: Delays,
    orphaned?: (node: string) => "gone" | "silent" | "well",
    now = Date.now(),
  ): Promise<readonly string[]> {
    if (!this.#store.known()) return [];
    const lines: string[] = [];
    const seen = new Set<string>();
    for (const object of this.#store.addresses()) {
      const { spec, metadata } = object;
      const own = spec.node === this.#store.node;
      const state = own ? "well" : (orphaned?.(spec.node) ?? "well");
      if (!own && state === "well") continue;
      const followed = own ? this.#store.followedPod(spec.pod.namespace, spec.pod.name) : undefined;
      if (followed?.metadata.uid === spec.pod.uid && !ENDED.includes(followed.status.phase)) continue;
      seen.add(metadata.uid);
      const verdict = await this.#verdict(object, own, state === "gone", delays, now);
      if (verdict.action === "keep") this.#goneSince.delete(metadata.uid);
      if (verdict.action === "wait" && !this.#goneSince.has(metadata.uid)) this.#goneSince.set(metadata.uid, now);
      if (verdict.action === "release" && (await this.#store.remove(object))) {
        this.#records.remove(metadata.name);
        lines.push(`${spec.address} of ${spec.pod.namespace}/${spec.pod.name} on ${spec.node}: ${verdict.reason}`);
      }
    }
    for (const uid of this.#goneSince.keys()) if (!seen.has(uid)) this.#goneSince.delete(uid);
    return lines;
  }

  async #verdict(
    { spec, metadata }: UnderlayAddressObject,
    own: boolean,
    nodeGone: boolean,
    delays: Delays,
    now: number,
  ): Promise<Verdict> {
    const world: World = {
      now,
      pod: await this.#pod(spec.pod),
      node: nodeGone ? "gone" : "present",
      sandbox: own ? this.#sandbox(spec.containerId, spec.ifname) : "unknown",
      statefulSet:
        spec.owner?.kind === "StatefulSet" ? await this.#statefulSet(spec.pod.namespace, spec.owner.name) : "gone",
      goneSince: this.#goneSince.get(metadata.uid),
    };
    return decideReclaim(
      {
        podUid: spec.pod.uid,
        podName: spec.pod.name,
        node: spec.node,
        containerId: spec.containerId,
        owner: spec.owner,
        conflict: spec.conflict,
        created: Date.parse(metadata.creationTimestamp),
      },
      world,
      delays,
    );
  }

  /** From the API server itself: what is followed may be late, and late is not gone. */
  async #pod({ namespace, name }: { readonly namespace: string; readonly name: string }): Promise<World["pod"]> {
    try {
      const found = await this.#kube.find(inNamespace(RESOURCE.pods, namespace), name);
      if (found === undefined) return "gone";
      const { metadata, status } = podObject.parse(found);
      return ENDED.includes(status.phase) ? "gone" : { uid: metadata.uid };
    } catch {
      return "unknown";
    }
  }

  async #statefulSet(namespace: string, name: string): Promise<World["statefulSet"]> {
    try {
      const found = await this.#kube.find(inNamespace(RESOURCE.statefulSets, namespace), name);
      if (found === undefined) return "gone";
      const { metadata, spec } = statefulSet.parse(found);
      return { uid: metadata.uid, first: spec.ordinals.start, replicas: spec.replicas };
    } catch {
      return "unknown";
    }
  }

  /** A namespace that is there still has the address on a link. */
  #sandbox(containerId: string, ifname: string): "present" | "gone" {
    if (containerId === "") return "gone";
    const isIts = (a: { readonly containerId: string; readonly ifname: string }): boolean =>
      a.containerId === containerId && a.ifname === ifname;
    const paths = [...this.#records.all().filter(isIts), ...listAttachments(this.#attachments).filter(isIts)].map(
      ({ netns }) => netns,
    );
    return paths.some((path) => path !== "" && existsSync(path)) ? "present" : "gone";
  }
}
