import { z } from "zod";
import { hasExternalAddress } from "../agent/discovery/service-addresses.ts";
import { logInvalidObject } from "../agent/status/agent-log.ts";
import { Informer } from "../kubernetes/informer.ts";
import type { InformerOptions } from "../kubernetes/informer-options.ts";
import type { KubeClient, Resource } from "../kubernetes/kube-client.ts";
import { objectMeta, type ObjectMeta } from "../kubernetes/object-meta.ts";
import {
  CONFIG_MAP,
  configMapObject,
  RESOURCE,
  serviceObject,
  underlayAddress,
  underlayNetwork,
  underlayPool,
} from "../kubernetes/objects.ts";

const nodeWithConditions = z.object({
  metadata: objectMeta,
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
    })
    .default({ conditions: [], addresses: [] }),
});
const definition = z.object({ metadata: objectMeta, spec: z.object({ config: z.string().default("") }) });

/** Informers of the cluster's objects that the leader reads. */
export class ControllerCache {
  readonly nodes;
  readonly services;
  readonly settings;
  readonly kubeadm;
  readonly underlayPools;
  readonly underlayAddresses;
  readonly underlayNetworks;
  readonly definitions;
  readonly #informers: readonly Informer[];

  constructor(kube: KubeClient) {
    const createInformer = <T extends { readonly metadata: ObjectMeta }>(
      resource: Resource,
      parse: (object: unknown) => T | undefined,
      options: InformerOptions = {},
    ): Informer<T> => new Informer(kube, resource, parse, { ...options, reportInvalid: logInvalidObject });
    this.nodes = createInformer(RESOURCE.nodes, (object) => nodeWithConditions.parse(object));
    this.services = createInformer(RESOURCE.services, (object) => {
      const service = serviceObject.parse(object);
      return hasExternalAddress(service) ? service : undefined;
    });
    this.settings = createInformer(RESOURCE.settings, (object) => configMapObject.parse(object), {
      selection: { fieldSelector: `metadata.name=${CONFIG_MAP}` },
    });
    this.kubeadm = createInformer(RESOURCE.systemConfigMaps, (object) => configMapObject.parse(object), {
      selection: { fieldSelector: "metadata.name=kubeadm-config" },
    });
    this.underlayPools = createInformer(RESOURCE.underlayPools, (object) => underlayPool.parse(object));
    this.underlayAddresses = createInformer(RESOURCE.underlayAddresses, (object) => underlayAddress.parse(object), {
      source: "pages",
    });
    this.underlayNetworks = createInformer(RESOURCE.underlayNetworks, (object) => underlayNetwork.parse(object));
    this.definitions = createInformer(RESOURCE.attachmentDefinitions, (object) => definition.parse(object));
    this.#informers = [
      this.nodes,
      this.services,
      this.settings,
      this.kubeadm,
      this.underlayPools,
      this.underlayAddresses,
      this.underlayNetworks,
      this.definitions,
    ];
  }

  /** Starts the informers. @param changed called on every change of an object */
  start(changed: () => void): void {
    for (const informer of this.#informers) informer.onChange(changed).start();
  }

  stop(): void {
    for (const informer of this.#informers) informer.stop();
  }

  /** Lists the watches that fail now, one line each. */
  listErrors(): readonly string[] {
    return this.#informers.flatMap(({ resource, error }) =>
      error === undefined ? [] : [`${resource.plural}: ${error}`],
    );
  }
}
