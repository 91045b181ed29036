import { isIP } from "node:net";
import type { NamespaceSnapshot, TraceSnapshot } from "../snapshot.ts";

/** An address and port that a packet is sent to. */
export interface TraceTarget {
  /** IP address, or the name of a node, pod or Service. */
  readonly host: string;
  /** Undefined if no port was given. */
  readonly port: number | undefined;
}

/** Parses `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME` or `NAME:PORT`. @throws an error for an invalid port */
export function parseTarget(text: string): TraceTarget {
  if (isIP(text) !== 0) return { host: text, port: undefined };
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65535)))
    throw new Error(
      `invalid target "${text}": write ADDRESS:PORT, [IPV6]:PORT or NAME:PORT, with a port from 1 to 65535`,
    );
  return { host, port };
}

/**
 * Finds the network namespace of a node or pod.
 *
 * @param text address, node name, `namespace/name` of a pod, or a pod's name
 * @param podNamespace preferred namespace of a pod's name
 * @throws an error if no namespace matches, or several do
 */
export function findNamespace(snapshot: TraceSnapshot, text: string, podNamespace = "default"): NamespaceSnapshot {
  const { namespaces } = snapshot;
  const exact = namespaces.filter(({ name }) => name === text || name === `${podNamespace}/${text}`);
  const byName = exact.length > 0 ? exact : namespaces.filter(({ name }) => name.endsWith(`/${text}`));
  const matching =
    byName.length > 0
      ? byName
      : namespaces.filter(({ addresses }) => addresses.some(({ address }) => address === text));
  const [namespace] = matching;
  if (namespace === undefined)
    throw new Error(`unknown source "${text}": the snapshot has ${namespaces.map(({ name }) => name).join(", ")}`);
  if (matching.length > 1)
    throw new Error(`"${text}" is ambiguous: name one of ${matching.map(({ name }) => name).join(", ")}`);
  return namespace;
}

/**
 * Selects the address of a node or pod to which packets are sent: the first global address of its first link, in the given family.
 *
 * @throws an error if it has none
 */
export function selectAddress(namespace: NamespaceSnapshot, family: "ipv4" | "ipv6"): string {
  const indices = new Map(namespace.links.map(({ name, index }) => [name, index]));
  const [address] = namespace.addresses
    .filter((entry) => entry.family === family && entry.scope === "global")
    .toSorted((a, b) => (indices.get(a.link) ?? 0) - (indices.get(b.link) ?? 0));
  if (address === undefined)
    throw new Error(`${namespace.name} has no ${family} address: name another family or target`);
  return address.address;
}
