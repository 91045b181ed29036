import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { By, DeferCleanup } from "../harness.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { setupCluster } from "../support/setup-cluster.ts";
import type { TestRun } from "../support/test-run.ts";
import { deployPods, type Deployment } from "./deploy.ts";

/**
 * Deploys the pods of the three types in the run's cluster. Must be called in BeforeAll; the probers end with the group.
 *
 * @param hostPackages Debian packages whose programs the specs run on nodes that use the programs of this computer
 */
export async function setupDeployment(
  run: TestRun,
  hostPackages: readonly string[] = [],
): Promise<{ readonly cluster: Cluster; readonly api: ClusterApi; readonly deployment: Deployment }> {
  const { cluster, api } = await setupCluster(run);
  if (hostPackages.length > 0 && hasCapability(cluster.provider, "host-programs"))
    await ensureDebianPackages(hostPackages, createPlainProgress());
  const deployment = await By("the pods of the three types", () => deployPods(cluster, api));
  DeferCleanup(() => deployment.closeProbers());
  return { cluster, api, deployment };
}
