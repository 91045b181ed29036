import { parseAllDocuments, stringify } from "yaml";
import { z } from "zod";
import type { IpFamily } from "../spec/address-ranges.ts";
import type { CalicoSettings, ExtraPool } from "../spec/environment-spec.ts";

/** Overhead of VXLAN in bytes: Ethernet, VXLAN, UDP, and the outer IP header of the family. */
const VXLAN_BYTES = { ipv4: 50, ipv6: 70 } as const;
const DEFAULT_WIRE_MTU = 1500;

/**
 * Returns the MTU of Calico's links. Felix encapsulates IPv6 in IPv6, but its links have one MTU for both families: a cluster with
 * IPv6 gets the smaller MTU of IPv6.
 *
 * @param wireMtu MTU of the links between nodes
 */
export function calculateOverlayMtu(families: readonly IpFamily[], wireMtu: number = DEFAULT_WIRE_MTU): number {
  return wireMtu - VXLAN_BYTES[families.includes("ipv6") ? "ipv6" : "ipv4"];
}

/** Returns the environment variables of calico-node that an environment changes. */
export function listCalicoVariables({
  pool,
  backend,
  interfacePrefix,
  env,
}: CalicoSettings): Readonly<Record<string, string>> {
  const natOutgoing = pool?.natOutgoing === undefined ? undefined : String(pool.natOutgoing);
  const variables = {
    CALICO_IPV4POOL_NAT_OUTGOING: natOutgoing,
    CALICO_IPV6POOL_NAT_OUTGOING: natOutgoing,
    CALICO_IPV4POOL_VXLAN: pool?.vxlan,
    CALICO_IPV6POOL_VXLAN: pool?.vxlan,
    CALICO_NETWORKING_BACKEND: backend,
    FELIX_INTERFACEPREFIX: interfacePrefix,
    ...env,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const variable = z.looseObject({ name: z.string() });
const daemonSet = z.looseObject({
  kind: z.literal("DaemonSet"),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(z.looseObject({ name: z.string(), env: z.array(variable).optional() })),
      }),
    }),
  }),
});

/** Returns Calico's manifest with an environment's variables in the container calico-node. */
export function applyCalicoSettings(manifest: string, settings: CalicoSettings = {}): string {
  const changes = listCalicoVariables(settings);
  if (Object.keys(changes).length === 0) return manifest;
  return parseAllDocuments(manifest)
    .map((document) => {
      const object: unknown = document.toJS();
      const parsed = daemonSet.safeParse(object);
      if (parsed.success)
        for (const container of parsed.data.spec.template.spec.containers)
          if (container.name === "calico-node") container.env = setVariables(container.env ?? [], changes);
      return stringify(parsed.success ? parsed.data : object);
    })
    .join("---\n");
}

type Variable = z.infer<typeof variable>;

function setVariables(env: readonly Variable[], changes: Readonly<Record<string, string>>): Variable[] {
  return [
    ...env.filter(({ name }) => changes[name] === undefined),
    ...Object.entries(changes).map(([name, value]) => ({ name, value })),
  ];
}

/** Returns an IPPool of Calico's API. @param underlayCidr replaces the cidr `underlay` */
export function renderPool({ name, cidr, disabled }: ExtraPool, underlayCidr: string) {
  return {
    apiVersion: "crd.projectcalico.org/v1",
    kind: "IPPool",
    metadata: { name },
    spec: {
      cidr: cidr === "underlay" ? underlayCidr : cidr,
      disabled,
      ipipMode: "Never",
      vxlanMode: "Never",
      natOutgoing: false,
      nodeSelector: "all()",
    },
  };
}
