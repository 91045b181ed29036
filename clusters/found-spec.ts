import { type ClusterSpec } from "./provider.ts";
import { defaultSpec, type Family, inFamilies } from "./spec.ts";

/** What is read from a cluster that `up` has made earlier. */
export type Found = Pick<ClusterSpec, "name" | "workers" | "kubernetes" | "kubeProxy" | "probe"> & {
  readonly families: readonly Family[];
};

/** The spec of a cluster that is there already: what cannot be read from it is as `up` makes it by default. */
export function foundSpec({ families, ...found }: Found): ClusterSpec {
  const [family = "ipv4"] = families;
  return { ...inFamilies(defaultSpec(), families.length > 1 ? "dual" : family), ...found, kubeProxies: [] };
}
