import type { Cluster } from "../../clusters/provider/provider.ts";
import { listFamilies } from "../../clusters/spec/address-ranges.ts";
import { type ClusterApi, ensureObject, removeNamespace } from "../support/cluster-api.ts";
import { BeforeAll, By, DeferCleanup, Describe, Sanitize } from "../harness.ts";
import { listClusterObjects, readNodeState } from "../support/leaked-state.ts";
import type { Variant } from "../cells/gate.ts";
import { switchVariant } from "../deployment/variant.ts";
import { registerCallLogSpecs } from "../plugin/call-log-specs.ts";
import { registerPodChurnSpecs } from "../plugin/pod-churn.ts";
import { ROUTING_PODS, registerRoutingSpecs, INVALID_DEFAULT_ROUTE } from "../plugin/default-route-specs.ts";
import { registerExplainSpecs } from "../plugin/explained.ts";
import { registerLinkSpecs } from "../plugin/links.ts";
import { registerAddressMigrationSpecs } from "../plugin/address-migration.ts";
import {
  PLUGIN_BRIDGE,
  findHostCidr,
  installNetworks,
  listNetworkObjects,
  removeNetworks,
} from "../plugin/networks.ts";
import { BEHIND_GATEWAY, registerReplySpecs } from "../plugin/replies.ts";
import { registerRpFilterSpecs } from "../plugin/rp-filter-specs.ts";
import {
  createProbingPod,
  listHeldAddresses,
  releaseConflicts,
  PROBE_OPTIONS,
  registerDuplicateAddressSpecs,
  listRejectedPods,
} from "../plugin/duplicate-address.ts";
import { SHAPES, registerShapeSpecs } from "../plugin/shapes.ts";
import { registerVerbSpecs } from "../plugin/verb-specs.ts";
import {
  createPluginPod,
  waitForPluginPod,
  PLUGIN_NAMESPACE,
  execOnNode,
  type PluginContext,
} from "../plugin/plugin-context.ts";
import { runOnExternalHost } from "../plugin/routed-host.ts";
import { getExternalHost } from "../deployment/deploy.ts";
import type { Manifest } from "../pods/suite-pods.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";

const VARIANT: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };

/**
 * Registers the specs of the plugin in addition to the matrix: pod shapes, options, CNI commands, duplicate addresses,
 * cleanup.
 */
export function registerSpecs(run: TestRun): void {
  Describe("plugin: every pod shape, option and CNI command on a cluster", { labels: ["plugin"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let context: PluginContext;

    BeforeAll(
      async () => {
        const fixture = await setupDeployment(run, ["procps"]);
        const { deployment } = fixture;
        ({ cluster, api } = fixture);
        context = { cluster, api, deployment, workers: deployment.workers, families: listFamilies(cluster.spec) };
        await By("kube-proxy v1.29.15, notrack", () => switchVariant(cluster, VARIANT));
      },
      { timeout: 300_000 },
    );
    Sanitize("links, rules, routes and neighbours on the nodes", () => readNodeState(cluster));
    Sanitize("cluster objects", () => listClusterObjects(api));

    BeforeAll(
      async () => {
        const external = getExternalHost(context.deployment.external);
        const objects = listNetworkObjects(cluster.spec, external);
        DeferCleanup(() => removeNetworks(api, objects));
        await By("networks and pools of the suite", () => installNetworks(api, objects));
        DeferCleanup(() => releaseConflicts(api));
        for (const address of listHeldAddresses(context)) {
          const argv = [`${address}/${address.includes(":") ? 128 : 32}`, "dev", "eth0"];
          // Deprecated (RFC 4862, section 5.5.4): the host answers for the address, but does not use it as source.
          const flags = address.includes(":") ? ["nodad", "preferred_lft", "0"] : [];
          await runOnExternalHost(external, ["ip", "address", "replace", ...argv, ...flags]);
          DeferCleanup(() => external.exec(["ip", "address", "delete", ...argv]));
        }
        for (const node of context.workers.keys())
          for (const family of context.families) {
            const route = ["local", findHostCidr(family), "dev", "lo"];
            DeferCleanup(() => execOnNode(context, node, "ip", "route", "delete", ...route));
            await execOnNode(context, node, "ip", "route", "add", ...route);
          }
        // The bridge plugin leaves its bridge when the last pod is deleted.
        for (const node of context.workers)
          DeferCleanup(() => cluster.exec(node, ["ip", "link", "delete", PLUGIN_BRIDGE]));
        DeferCleanup(() => removeNamespace(api, PLUGIN_NAMESPACE));
        const namespace: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: PLUGIN_NAMESPACE } };
        await ensureObject(api, namespace);
        const testPods = [
          ...SHAPES.map(({ testPod }) => testPod),
          ...ROUTING_PODS,
          createProbingPod(context),
          ...PROBE_OPTIONS,
          ...BEHIND_GATEWAY,
        ];
        await By(`${testPods.length} pods, some of which never become ready`, async () => {
          await Promise.all(
            [...testPods, INVALID_DEFAULT_ROUTE, ...listRejectedPods(context)].map((testPod) =>
              createPluginPod(context, testPod),
            ),
          );
          await Promise.all(testPods.map(({ name }) => waitForPluginPod(context, name)));
        });
      },
      { timeout: 300_000 },
    );

    const getContext = () => context;
    registerShapeSpecs(getContext);
    registerRoutingSpecs(getContext);
    registerDuplicateAddressSpecs(getContext);
    registerLinkSpecs(getContext);
    registerExplainSpecs(getContext);
    registerReplySpecs(getContext);
    registerAddressMigrationSpecs(getContext);
    registerVerbSpecs(getContext);
    registerRpFilterSpecs(getContext, VARIANT);
    registerCallLogSpecs(getContext);
    registerPodChurnSpecs(getContext);
  });
}

registerIfMain(import.meta.url, registerSpecs);
