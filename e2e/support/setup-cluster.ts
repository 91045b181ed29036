import type { Cluster } from "../../clusters/provider/provider.ts";
import { By } from "../harness.ts";
import { type ClusterApi, clusterApi } from "./cluster-api.ts";
import type { TestRun } from "./test-run.ts";

/** Returns the run's cluster and a client of its API; the first call brings the cluster up. For BeforeAll. */
export async function setupCluster(run: TestRun): Promise<{ readonly cluster: Cluster; readonly api: ClusterApi }> {
  const cluster = await By("the cluster", run.cluster);
  return { cluster, api: clusterApi(cluster) };
}
