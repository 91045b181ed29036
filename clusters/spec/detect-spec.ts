import type { ClusterSpec } from "./cluster-spec.ts";
import { createDefaultSpec, type IpFamily, setFamilies } from "./address-ranges.ts";

/** The part of a spec that can be read from a running cluster. */
type DetectedSpec = Pick<ClusterSpec, "name" | "workers" | "kubernetes" | "kubeProxy" | "probe"> & {
  readonly families: readonly IpFamily[];
};

/** Returns the spec of a running cluster. Fields that cannot be read have the defaults of `up`. */
export function detectSpec({ families, ...detected }: DetectedSpec): ClusterSpec {
  const [family = "ipv4"] = families;
  return { ...setFamilies(createDefaultSpec(), families.length > 1 ? "dual" : family), ...detected, kubeProxies: [] };
}
