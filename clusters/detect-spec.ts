import { type ClusterSpec } from "./provider.ts";
import { createDefaultSpec, type IpFamily, setFamilies } from "./spec.ts";

/** What is read from a cluster that `up` has made earlier. */
type DetectedSpec = Pick<ClusterSpec, "name" | "workers" | "kubernetes" | "kubeProxy" | "probe"> & {
  readonly families: readonly IpFamily[];
};

/** The spec of a cluster that is there already: what cannot be read from it is as `up` makes it by default. */
export function detectSpec({ families, ...found }: DetectedSpec): ClusterSpec {
  const [family = "ipv4"] = families;
  return { ...setFamilies(createDefaultSpec(), families.length > 1 ? "dual" : family), ...found, kubeProxies: [] };
}
