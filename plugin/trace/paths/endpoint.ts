import type { Family } from "../../datapath/address.ts";
import type { AddressSnapshot, NamespaceSnapshot } from "../snapshot.ts";

/** `multi-nic`: an overlay pod with a macvlan link of its own. */
export type EndpointKind = "overlay" | "underlay" | "multi-nic" | "node";

/** Client or server of a path. */
export interface PathEndpoint {
  readonly kind: EndpointKind;
  readonly namespace: NamespaceSnapshot;
  /** Name of its node. */
  readonly node: string;
}

/** Finds out what a network namespace is by the links that have its addresses; undefined for one without. */
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

/** Lists the addresses of a link by which others reach it. */
export function listLinkAddresses({ addresses }: NamespaceSnapshot, link: string): readonly AddressSnapshot[] {
  return addresses.filter((own) => own.link === link && own.scope === "global" && !own.flags.includes("deprecated"));
}

/** Reports whether the namespace has an address of the family by which others reach it. */
export function hasFamily(namespace: NamespaceSnapshot, family: Family): boolean {
  return namespace.links.some(({ name }) => listLinkAddresses(namespace, name).some((own) => own.family === family));
}

/** Finds the lowest port on which a program of the namespace listens at an address. */
export function findPort(
  { listeners }: NamespaceSnapshot,
  protocol: "tcp" | "udp",
  { family, address }: Pick<AddressSnapshot, "family" | "address">,
): number | undefined {
  const any = { ipv4: "0.0.0.0", ipv6: "::" }[family];
  const ports = (listeners ?? [])
    .filter((one) => one.protocol === protocol && one.family === family)
    .filter((one) => one.address === any || one.address === address)
    .map(({ port }) => port);
  return ports.length === 0 ? undefined : Math.min(...ports);
}
