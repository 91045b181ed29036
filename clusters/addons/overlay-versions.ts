import { VERSIONS } from "../components/catalog.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";

/**
 * Returns the version of what connects overlay pods in a cluster that the suite creates, by its name in reports. The reference
 * plugins, whose version is reported as `cniPlugins`, need no other.
 */
export function listOverlayVersions({
  environment,
}: Pick<ClusterSpec, "environment">): Readonly<Record<string, string>> {
  const overlay = environment?.spec.overlay;
  if (overlay === undefined) return { calico: VERSIONS.calico };
  return overlay.kind === "flannel" ? { flannel: VERSIONS.flannel } : {};
}
