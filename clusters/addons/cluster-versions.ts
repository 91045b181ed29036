import { release } from "node:os";
import { findEtcdVersion, VERSIONS } from "../components/catalog.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { EnvironmentSpec } from "../spec/environment-spec.ts";

/** Returns the versions of a cluster that the suite creates, by their names in reports. */
export function listClusterVersions({
  kubernetes,
  environment,
}: Pick<ClusterSpec, "kubernetes" | "environment">): Readonly<Record<string, string>> {
  return {
    kubernetes,
    ...listOverlayVersions(environment?.spec.overlay),
    multus: VERSIONS.multus,
    cniPlugins: VERSIONS["cni-plugins"],
    etcd: findEtcdVersion(kubernetes),
    kernel: release(),
  };
}

/** Returns the version of the pod network; empty for the reference plugins, whose version is `cniPlugins`. */
function listOverlayVersions(overlay: EnvironmentSpec["overlay"]): Readonly<Record<string, string>> {
  if (overlay === undefined) return { calico: VERSIONS.calico };
  return overlay.kind === "flannel" ? { flannel: VERSIONS.flannel } : {};
}
