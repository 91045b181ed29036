import { z } from "zod";

const DEFAULT_NETWORK = "v1.multus-cni.io/default-network";
const NETWORKS = "k8s.v1.cni.cncf.io/networks";

/** A network of a pod, and the NIC that it makes. */
export interface PodNetwork {
  readonly namespace: string;
  readonly name: string;
  readonly ifname: string;
}

const networkList = z.array(
  z.object({ name: z.string(), namespace: z.string().optional(), interface: z.string().optional() }),
);

/** Lists the networks that the annotations of a pod or pod template name, as Multus reads them. Invalid JSON names none. */
export function listPodNetworks(
  annotations: Readonly<Record<string, string>>,
  namespace: string,
): readonly PodNetwork[] {
  const [first] = parseNetworks(annotations[DEFAULT_NETWORK] ?? "");
  const others = parseNetworks(annotations[NETWORKS] ?? "");
  const complete = (network: z.infer<typeof networkList>[number], ifname: string): PodNetwork => ({
    namespace: network.namespace ?? namespace,
    name: network.name,
    ifname: network.interface ?? ifname,
  });
  return [
    ...(first === undefined ? [] : [complete(first, "eth0")]),
    ...others.map((network, index) => complete(network, `net${index + 1}`)),
  ];
}

function parseNetworks(annotation: string): z.infer<typeof networkList> {
  const text = annotation.trim();
  if (text === "") return [];
  if (text.startsWith("[")) {
    try {
      return networkList.parse(JSON.parse(text));
    } catch {
      return [];
    }
  }
  return text.split(",").map((part) => {
    const [reference = "", ifname] = part.trim().split("@");
    const [first = "", second] = reference.split("/");
    return {
      name: second ?? first,
      ...(second === undefined ? {} : { namespace: first }),
      ...(ifname === undefined ? {} : { interface: ifname }),
    };
  });
}

const ipamPlugin = z.object({ ipam: z.object({ type: z.string(), pools: z.array(z.string()).default([]) }) });
const definition = z.object({ name: z.string().default(""), plugins: z.array(z.unknown()).optional() });

/** Reads network name and pools from the configuration of a NetworkAttachmentDefinition; undefined without `interlay-ipam`. */
export function parseDefinitionPools(
  config: string,
  definitionName: string,
): { readonly network: string; readonly pools: readonly string[] } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(config);
  } catch {
    return undefined;
  }
  const conflist = definition.safeParse(parsed);
  if (!conflist.success) return undefined;
  for (const plugin of conflist.data.plugins ?? [parsed]) {
    const pluginConfig = ipamPlugin.safeParse(plugin);
    if (pluginConfig.success && pluginConfig.data.ipam.type === "interlay-ipam")
      return {
        network: conflist.data.name === "" ? definitionName : conflist.data.name,
        pools: pluginConfig.data.ipam.pools,
      };
  }
  return undefined;
}
