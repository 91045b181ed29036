import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { POD_TYPES } from "../../results/schema.ts";
import { variantTitle } from "../../results/title.ts";
import { takeStep } from "../environment/steps.ts";
import { BeforeAll, By, Context, DeferCleanup, Describe, It, Sanitize, Skip } from "../harness.ts";
import { REQUIRED_CHECKS } from "../matrix/required-checks.ts";
import { findForeignAddresses } from "../matrix/foreign-addresses.ts";
import { listExpectedRoutes, parsePlainRoutes } from "../matrix/routes.ts";
import { deployPods, type Deployment } from "../deployment/deploy.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { type ClusterApi, removeNamespace } from "../support/cluster-api.ts";
import { readComponents } from "../support/read-components.ts";
import { readSuiteVersion } from "../support/suite-version.ts";
import { listClusterObjects, readNodeState } from "../support/leaked-state.ts";
import { LiveProgress } from "../support/live-progress.ts";
import { setupCluster } from "../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { listCells, listEveryCell } from "../matrix/select-cells.ts";
import { registerVariantSpecs } from "../matrix/variant-specs.ts";

export function registerSpecs(run: TestRun): void {
  const { options } = run;
  const isExclusive = hasCapability(options.provider, "exclusive");
  const progress = new LiveProgress(options.variants.length);

  Describe("connectivity matrix", { labels: ["matrix"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let deployment: Deployment;
    let namespace: string;

    /** Reads the nodes' state; in a shared cluster only lines with an address of the suite's pods, because other pods come and go. */
    const readOwnNodeState = async (): Promise<readonly string[]> => {
      const lines = await readNodeState(cluster);
      if (isExclusive) return lines;
      const ownAddresses = listPodAddresses(deployment);
      return lines.filter((line) => line.split(/[\s/]/).some((word) => ownAddresses.has(word)));
    };

    BeforeAll(
      async () => {
        ({ cluster, api } = await setupCluster(run));
        namespace = cluster.namespace ?? NAMESPACE;
        const { results } = run;
        results.suite ??= await readSuiteVersion();
        results.components ??= await By("the components of the cluster", () => readComponents(cluster));
      },
      { timeout: 0 },
    );
    if (!options.keep) {
      Sanitize("links, rules, routes and neighbours on the nodes", () =>
        cluster.nodeAccess === "none" ? Promise.resolve([]) : readOwnNodeState(),
      );
      Sanitize("cluster objects", () => listClusterObjects(api, isExclusive ? undefined : namespace));
    }
    BeforeAll(
      async () => {
        if (!options.keep) DeferCleanup(() => removeNamespace(api, namespace));
        deployment = await By("the pods of the three types", () => deployPods(cluster, api));
        DeferCleanup(() => deployment.closeProbers());
        for (const step of options.environment?.spec.beforeCells ?? []) {
          const undo = await By(`environment: ${step.kind}`, () => takeStep(cluster, api, step));
          if (undo !== undefined) DeferCleanup(undo);
        }
        const clients = new Set(listCells(run, { cluster, deployment }).map((cell) => cell.from));
        await By("a prober in every pod", () => Promise.all([...clients].map((name) => deployment.getProber(name))));
      },
      { timeout: 300_000 },
    );

    It(REQUIRED_CHECKS.podsReady, () => {
      const { notReady } = deployment;
      assert.equal(notReady.length, 0, `these run, but their readiness probes fail: ${notReady.join(", ")}`);
    });

    It("each pod's addresses are in the network of its type", () => {
      const { overlayCidr, underlayCidr } = cluster.spec;
      if (overlayCidr === "" && underlayCidr === "") Skip("the cluster's networks are not known");
      assert.deepEqual(findForeignAddresses(deployment.pods.values(), cluster.spec), []);
    });

    It(REQUIRED_CHECKS.podRoutes, async () => {
      if (cluster.datapath === "none") Skip("another solution than Interlay routes the pods' traffic");
      if (cluster.spec.overlayCidr === "" || cluster.spec.serviceCidr === "")
        Skip("the networks of overlay or Services are not known: no configuration of the cluster names them");
      for (const { pod, family, expected } of listExpectedRoutes(cluster, deployment)) {
        const routes = parsePlainRoutes(
          await api.exec(namespace, pod, ["ip", family === "ipv6" ? "-6" : "-4", "route"]),
        );
        for (const line of expected)
          assert.ok(routes.includes(line), `${pod} has no route "${line}"; it has:\n${routes.join("\n")}`);
      }
    });

    It("every cell's client has a server on its own node and one on another node", () => {
      if (deployment.workers.length === 1) Skip("pods run on one node: no cell can have its target on another node");
      const placements = new Set(listEveryCell(deployment).map(({ placement }) => placement));
      assert.ok(placements.has("same-node") && placements.has("other-node"), [...placements].join(", "));
    });

    if (!isExclusive)
      It("every node that is selected has pods", () => {
        const { leftOutNodes = [] } = cluster;
        if (leftOutNodes.length > 0) Skip(leftOutNodes.join(" "));
      });

    if (!hasCapability(options.provider, "node-files"))
      It("packets take the documented paths (captures)", () => {
        Skip("captures need the nodes' file system and processes, which the API server alone does not give");
      });

    for (const variant of options.variants)
      Context(variantTitle(variant), () => {
        registerVariantSpecs(run, variant, progress, () => ({ cluster, deployment }));
      });
  });
}

/** Returns the addresses of the pods of the three types; none before they exist. */
function listPodAddresses(deployment: Deployment | undefined): ReadonlySet<string> {
  // Pods in the nodes' network have the nodes' addresses.
  const isOwn = ({ name }: { readonly name: string }) => POD_TYPES.some((type) => name.startsWith(`${type}-`));
  const pods = [...(deployment?.pods.values() ?? [])].filter(isOwn);
  return new Set(
    pods.flatMap(({ addresses }) => Object.values(addresses).flatMap((byFamily) => Object.values(byFamily))),
  );
}

registerIfMain(import.meta.url, registerSpecs);
