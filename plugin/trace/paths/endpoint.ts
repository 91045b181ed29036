import type { Family } from "../../datapath/address.ts";
import type { AddressSnapshot, NamespaceSnapshot } from "../snapshot.ts";

/** Kind of endpoint; `multi-nic` is an overlay pod that also has a macvlan link. */
export type EndpointKind = "overlay" | "underlay" | "multi-nic" | "node";

/** Client or server of a path. */
export interface PathEndpoint {
  readonly kind: EndpointKind;
  readonly namespace: NamespaceSnapshot;
  /** Name of its node. */
  readonly node: string;
}

/** Classifies a network namespace by the links that have addresses; undefined if no link has one. */
export function classifyNamespace(namespace: NamespaceSnapshot): EndpointKind | undefined {
  if (namespace.kind === "node") return "node";
  if (namespace.kind !== "pod") return undefined;
  const kinds = new Set(
    namespace.links
      .filter(({ name, up }) => up && listLinkAddresses(namespace, name).length > 0)
      .map(({ kind }) => (kind === "macvlan" ? "macvlan" : kind === "veth" ? "veth" : "other")),
  );
  if (kinds.has("macvlan")) return kinds.has("veth") ? "multi-nic" : "underlay";
  return kinds.has("veth") ? "overlay" : undefined;
}

/** Lists the global addresses of a link that are not deprecated. */
export function listLinkAddresses({ addresses }: NamespaceSnapshot, link: string): readonly AddressSnapshot[] {
  return addresses.filter(
    (address) => address.link === link && address.scope === "global" && !address.flags.includes("deprecated"),
  );
}

/** Reports whether a namespace has such an address of the family. */
export function hasFamily(namespace: NamespaceSnapshot, family: Family): boolean {
  return namespace.links.some(({ name }) =>
    listLinkAddresses(namespace, name).some((address) => address.family === family),
  );
}

/** Finds the lowest port on which a program of the namespace listens at an address. */
export function findPort(
  { listeners }: NamespaceSnapshot,
  protocol: "tcp" | "udp",
  { family, address }: Pick<AddressSnapshot, "family" | "address">,
): number | undefined {
  const anyAddress = { ipv4: "0.0.0.0", ipv6: "::" }[family];
  const ports = (listeners ?? [])
    .filter((listener) => listener.protocol === protocol && listener.family === family)
    .filter((listener) => listener.address === anyAddress || listener.address === address)
    .map(({ port }) => port);
  return ports.length === 0 ? undefined : Math.min(...ports);
}
