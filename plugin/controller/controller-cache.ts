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

/** The cluster's objects that the leader reads, kept by informers. */
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
    const follow = <T extends { readonly metadata: ObjectMeta }>(
      resource: Resource,
      parse: (object: unknown) => T | undefined,
      options: InformerOptions = {},
    ): Informer<T> => new Informer(kube, resource, parse, { ...options, reportInvalid: logInvalidObject });
    this.nodes = follow(RESOURCE.nodes, (object) => nodeWithConditions.parse(object));
    this.services = follow(RESOURCE.services, (object) => {
      const service = serviceObject.parse(object);
      return hasExternalAddress(service) ? service : undefined;
    });
    this.settings = follow(RESOURCE.settings, (object) => configMapObject.parse(object), {
      selection: { fieldSelector: `metadata.name=${CONFIG_MAP}` },
    });
    this.kubeadm = follow(RESOURCE.systemConfigMaps, (object) => configMapObject.parse(object), {
      selection: { fieldSelector: "metadata.name=kubeadm-config" },
    });
    this.underlayPools = follow(RESOURCE.underlayPools, (object) => underlayPool.parse(object));
    this.underlayAddresses = follow(RESOURCE.underlayAddresses, (object) => underlayAddress.parse(object), {
      source: "pages",
    });
    this.underlayNetworks = follow(RESOURCE.underlayNetworks, (object) => underlayNetwork.parse(object));
    this.definitions = follow(RESOURCE.attachmentDefinitions, (object) => definition.parse(object));
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

  /** @param changed called on every change of any of them */
  start(changed: () => void): void {
    for (const informer of this.#informers) informer.onChange(changed).start();
  }

  stop(): void {
    for (const informer of this.#informers) informer.stop();
  }

  /** Lists the watches that fail now, a line each. */
  listErrors(): readonly string[] {
    return this.#informers.flatMap(({ resource, error }) =>
      error === undefined ? [] : [`${resource.plural}: ${error}`],
    );
  }
}
