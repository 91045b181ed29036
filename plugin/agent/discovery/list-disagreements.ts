import { type Cidr, containsIp, getFamily, type Ip, parseIp } from "../../datapath/address.ts";

/** A value with the source from which it was read. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: string;
}

/**
 * Describes each source that disagrees with the first one, which is used. Pure.
 *
 * @param title subject of the sentences, such as "Service networks"
 * @param sources networks by precedence of their sources
 * @param agree whether the networks of another source agree with the used ones
 */
export function listDisagreements(
  title: string,
  sources: readonly Sourced<readonly Cidr[]>[],
  agree: (used: readonly Cidr[], configured: readonly Cidr[]) => boolean,
): readonly string[] {
  const [used, ...others] = sources;
  if (used === undefined) return [];
  return others
    .filter(({ value }) => !agree(used.value, value))
    .map(
      ({ source, value }) =>
        `${title}: ${used.source} says ${used.value.join(", ")}, ${source} says ${value.join(", ")}; the first is used.`,
    );
}

/** Reports whether two lists contain the same networks. */
export function areEqual(used: readonly Cidr[], configured: readonly Cidr[]): boolean {
  return [...used].sort().join() === [...configured].sort().join();
}

/**
 * Reports whether each configured network contains, or is inside, a used network of its family. Calico may use one part of a configured
 * network, or several networks. A family without a used network is not compared.
 */
export function areRelated(used: readonly Cidr[], configured: readonly Cidr[]): boolean {
  return configured.every((network) => {
    const usedOfFamily = used.filter((cidr) => getFamily(cidr) === getFamily(network));
    return usedOfFamily.length === 0 || usedOfFamily.some((cidr) => overlap(cidr, network));
  });
}

function overlap(first: Cidr, second: Cidr): boolean {
  return containsIp(first, getBase(second)) || containsIp(second, getBase(first));
}

function getBase(cidr: Cidr): Ip {
  return parseIp(cidr.slice(0, cidr.indexOf("/")));
}
