import type { ControllerCache } from "./controller-cache.ts";
import { createAddress } from "../ipam/records/write-address.ts";
import { writeLog } from "../agent/status/agent-log.ts";
import { getErrorMessage } from "../errors/error-message.ts";
import { toObjectName } from "../ipam/pool/object-name.ts";
import { parseIp } from "../datapath/address.ts";
import { parsePools } from "../ipam/pool/parse-pools.ts";
import { planSets, type SetRequest } from "../ipam/sets/plan-sets.ts";
import { describeWorkload, type WorkloadReference } from "../ipam/annotations/workload.ts";
import { Informer } from "../kubernetes/informer.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { NamespaceCache } from "../kubernetes/namespace-cache.ts";
import { RESOURCE } from "../kubernetes/objects.ts";
import {
  buildSetRequest,
  type SetTemplate,
  WORKLOAD_KINDS,
  parseWorkloadObject,
  type WorkloadObject,
} from "./set-requests.ts";

/** Time in milliseconds for which a namespace is cached. */
const NAMESPACE_MS = 30_000;

/** Creates and removes the addresses of fixed sets that the pod templates of workloads request. */
export class AddressSets {
  readonly #kube: KubeClient;
  readonly #cache: ControllerCache;
  readonly #workloads: readonly {
    readonly kind: (typeof WORKLOAD_KINDS)[number];
    readonly informer: Informer<WorkloadObject>;
  }[];
  readonly #namespaces: NamespaceCache;
  readonly #logged = new Set<string>();

  constructor(kube: KubeClient, cache: ControllerCache) {
    this.#kube = kube;
    this.#cache = cache;
    this.#namespaces = new NamespaceCache(kube, NAMESPACE_MS);
    this.#workloads = WORKLOAD_KINDS.map((kind) => ({
      kind,
      informer: new Informer<WorkloadObject>(kube, kind, (object) => parseWorkloadObject(object)),
    }));
  }

  start(changed: () => void): void {
    for (const { informer } of this.#workloads) informer.onChange(changed).start();
  }

  stop(): void {
    for (const { informer } of this.#workloads) informer.stop();
  }

  /** @param definitions configurations of NetworkAttachmentDefinitions by `namespace/name` */
  async reconcile(definitions: ReadonlyMap<string, string>): Promise<void> {
    if (this.#cache.underlayAddresses.state !== "known" || this.#cache.underlayPools.state !== "known") return;
    const addresses = this.#cache.underlayAddresses.values();
    const templates = this.#listTemplates();
    if (templates.length === 0 && !addresses.some(({ spec }) => spec.set !== undefined)) return;
    const { valid: pools } = parsePools(this.#cache.underlayPools.values());
    const requests: SetRequest[] = [];
    const unclearWorkloads: WorkloadReference[] = [];
    for (const template of templates) {
      try {
        const namespace = await this.#namespaces.read(template.workload.namespace);
        requests.push(buildSetRequest(template, namespace, pools, definitions));
      } catch (error) {
        unclearWorkloads.push(template.workload);
        this.#logOnce(`${describeWorkload(template.workload)}: ${getErrorMessage(error)}`);
      }
    }
    const plan = planSets(requests, addresses, (workload) => this.#mayExist(workload, unclearWorkloads));
    for (const object of plan.remove) {
      const { name, uid, resourceVersion } = object.metadata;
      if (await this.#kube.delete(RESOURCE.underlayAddresses, name, uid, resourceVersion))
        this.#cache.underlayAddresses.applyLocalDelete(name, uid);
    }
    for (const spec of plan.create) {
      const created = await createAddress(this.#kube, toObjectName(parseIp(spec.address)), spec);
      if (created !== undefined) this.#cache.underlayAddresses.applyLocalWrite(created); // else a node was first; the next pass takes another address
    }
    for (const { workload, missing } of plan.incomplete)
      this.#logOnce(`the set of ${describeWorkload(workload)} lacks ${missing} addresses: its pools have no free one`);
  }

  #listTemplates(): readonly SetTemplate[] {
    return this.#workloads.flatMap(({ kind, informer }) =>
      informer.state === "known" ? informer.values().flatMap((object) => kind.read(object) ?? []) : [],
    );
  }

  /** Reports whether a workload may exist: also if its kind cannot be listed now, or if its request is not clear. */
  #mayExist({ group, kind, namespace, name }: WorkloadReference, unclear: readonly WorkloadReference[]): boolean {
    const watch = this.#workloads.find((one) => one.kind.group === group && one.kind.kind === kind);
    if (watch !== undefined && watch.informer.state !== "known") return true;
    return unclear.some(
      (workload) =>
        workload.group === group &&
        workload.kind === kind &&
        workload.namespace === namespace &&
        workload.name === name,
    );
  }

  #logOnce(message: string): void {
    if (this.#logged.has(message)) return;
    if (this.#logged.size > 1000) this.#logged.clear();
    this.#logged.add(message);
    writeLog("warn", "a fixed set of addresses is not as requested", { message });
  }
}
