import { z } from "zod";
import type { PodType } from "../../results/schema.ts";

/** Namespace and name of the NetworkAttachmentDefinition of underlay links. */
const NETWORK = { namespace: "interlay-system", name: "underlay" } as const;
/** Pods of these namespaces get no further networks. */
const SYSTEM_NAMESPACES = ["kube-system", "interlay-system"];

const config = z.record(z.string(), z.unknown());

/**
 * Changes Multus' configuration so that each new pod without annotations is of a type.
 * @param original JSON of the configuration in which pods are overlay pods
 */
export function setDefaultPodType(original: string, podType: PodType): string {
  const settings = config.parse(JSON.parse(original));
  return JSON.stringify({ ...settings, ...listChanges(podType) }, undefined, 2);
}

function listChanges(podType: PodType): Readonly<Record<string, unknown>> {
  switch (podType) {
    case "overlay":
      return {};
    case "underlay":
      return { multusNamespace: NETWORK.namespace, clusterNetwork: NETWORK.name };
    case "multi-nic":
      return {
        multusNamespace: NETWORK.namespace,
        defaultNetworks: [NETWORK.name],
        systemNamespaces: SYSTEM_NAMESPACES,
      };
  }
}
