import type { Cluster } from "../../clusters/provider/provider.ts";
import { BeforeAll, By, Describe, It, Skip } from "../harness.ts";
import { Helm } from "../install/helm.ts";
import { registerHelmSpecs } from "../install/helm-specs.ts";
import { InstallContext, type SequenceSpec } from "../install/install-context.ts";
import { registerUninstallSpecs } from "../install/uninstall-specs.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { setupCluster } from "../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

/** The specs depend on each other: install, upgrade, Helm uninstall, install, uninstall, install. */
export function registerSpecs(run: TestRun): void {
  Describe("install: from nodes without Interlay, by Helm, and back", { labels: ["install"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let helm: Helm;
    let context: InstallContext;

    // The first run builds Helm, which takes minutes.
    BeforeAll(
      async () => {
        ({ cluster, api } = await setupCluster(run));
        if (cluster.provider === "lab") helm = await By("Helm", () => Helm.create(cluster));
      },
      { timeout: 0 },
    );
    BeforeAll(
      async () => {
        if (cluster.provider === "lab") context = await InstallContext.setup(cluster, api, helm);
      },
      { timeout: 300_000 },
    );

    let hasFailed = false;
    const addSpec: SequenceSpec = (title, body) => {
      It(title, { timeout: 240_000 }, async () => {
        if (cluster.provider !== "lab") Skip("only a lab's nodes can be recreated");
        if (hasFailed) Skip("the previous spec failed");
        hasFailed = true;
        await body(context);
        hasFailed = false;
      });
    };
    registerHelmSpecs(addSpec);
    registerUninstallSpecs(addSpec);
  });
}

registerIfMain(import.meta.url, registerSpecs);
