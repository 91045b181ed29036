import { GROUP_VERSION, type UnderlayNetworkObject } from "../kubernetes/objects.ts";

/** Version of the CNI specification that Multus v4.2 and the reference plugins v1.9 support. */
const CNI_VERSION = "1.0.0";

/**
 * Plugin that maps the hostPorts of a pod to its address. It runs after Interlay, because it needs the node's link to the pod.
 */
const PORTMAP = { type: "portmap", snat: true, capabilities: { portMappings: true } } as const;

/** Builds the conflist of an underlay network: macvlan with interlay-ipam, interlay, and portmap for hostPorts. */
function buildConflist({
  name,
  uplink,
  mode = "bridge",
  mtu,
  pools = [],
  hostPorts = true,
  options = {},
}: {
  readonly name: string;
  /** Parent link; if undefined, on each node the link of its default route. */
  readonly uplink?: string | undefined;
  readonly mode?: string;
  readonly mtu?: number | undefined;
  readonly pools?: readonly string[];
  readonly hostPorts?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
}): unknown {
  return {
    cniVersion: CNI_VERSION,
    name,
    plugins: [
      {
        type: "macvlan",
        ...(uplink === undefined ? {} : { master: uplink }),
        mode,
        ...(mtu === undefined ? {} : { mtu }),
        ipam: { type: "interlay-ipam", ...(pools.length === 0 ? {} : { pools }) },
      },
      { ...options, type: "interlay" },
      ...(hostPorts ? [PORTMAP] : []),
    ],
  };
}

/** Builds the NetworkAttachmentDefinition of an UnderlayNetwork, which owns it. Pure. */
export function buildAttachmentDefinition({ metadata, spec }: UnderlayNetworkObject) {
  const { namespace, uplink, mode, mtu, pools, hostPorts, options } = spec;
  return {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: {
      name: metadata.name,
      namespace,
      ownerReferences: [
        {
          apiVersion: GROUP_VERSION,
          kind: "UnderlayNetwork",
          name: metadata.name,
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    },
    spec: {
      config: JSON.stringify(buildConflist({ name: metadata.name, uplink, mode, mtu, pools, hostPorts, options })),
    },
  };
}
