import type { Cluster } from "../clusters/provider.ts";
import { familiesOf } from "../clusters/spec.ts";
import { ensureDebianPackages } from "../clusters/components/packages.ts";
import { createPlainProgress } from "../clusters/progress-plain.ts";
import { type ClusterApi, clusterApi, ensure, removeNamespace } from "./cluster-api.ts";
import { theCluster } from "./context.ts";
import { BeforeAll, By, DeferCleanup, Describe, Sanitize } from "./harness.ts";
import { clusterObjects, nodeState } from "./leaks.ts";
import type { Variant } from "./matrix/gate.ts";
import { switchTo } from "./matrix/variant.ts";
import { logSpecs } from "./plugin/call-log.ts";
import { crowdSpecs } from "./plugin/crowd.ts";
import { ROUTING_GUESTS, routingSpecs, WRONG } from "./plugin/default-route.ts";
import { explainSpecs } from "./plugin/explained.ts";
import { linkSpecs } from "./plugin/links.ts";
import { moveSpecs } from "./plugin/moves.ts";
import { BRIDGE, hostCidrOnNode, LOCAL_LINK, install, objects, uninstall } from "./plugin/networks.ts";
import { BEHIND_GATEWAY, replySpecs } from "./plugin/replies.ts";
import { rpFilterSpecs } from "./plugin/rp-filter.ts";
import { carefulGuest, heldAddresses, letConflictsGo, OPTIONS, safetySpecs, unsafe } from "./plugin/safety.ts";
import { SHAPES, shapeSpecs } from "./plugin/shapes.ts";
import { verbSpecs } from "./plugin/verbs.ts";
import { comes, isReady, NAMESPACE, on, type World } from "./plugin/world.ts";
import { outside } from "./plugin/beyond.ts";
import { deploy, outsideHost } from "./pods/deploy.ts";
import type { Manifest } from "./pods/pods.ts";

const VARIANT: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };

/** What the plugin does beyond the matrix, on a cluster: pod shapes, options, verbs, safety, and that nothing is left. */
Describe("plugin: every pod shape, option and verb on a cluster", { labels: ["plugin"] }, () => {
  let cluster: Cluster;
  let api: ClusterApi;
  let world: World;

  BeforeAll(
    async () => {
      cluster = await theCluster();
      if (cluster.provider === "lab") await ensureDebianPackages(["procps"], createPlainProgress());
      api = clusterApi(cluster);
      const deployment = await By("the pods of the three types", () => deploy(cluster, api));
      DeferCleanup(() => deployment.closeProbers());
      world = { cluster, api, deployment, workers: deployment.workers, families: familiesOf(cluster.spec) };
      await By("kube-proxy v1.29.15, notrack", () => switchTo(cluster, VARIANT));
    },
    { timeout: 300_000 },
  );
  Sanitize("links, rules, routes and neighbours on the nodes", () => nodeState(cluster));
  Sanitize("cluster objects", () => clusterObjects(api));

  BeforeAll(
    async () => {
      const external = outsideHost(world.deployment.external);
      const all = objects(cluster.spec, external);
      DeferCleanup(() => uninstall(api, all));
      await By("networks and pools of the suite", () => install(api, all));
      DeferCleanup(() => letConflictsGo(api));
      for (const address of heldAddresses(world)) {
        const argv = [`${address}/${address.includes(":") ? 128 : 32}`, "dev", "eth0"];
        // Deprecated (RFC 4862, section 5.5.4): it answers for the address, and does not speak by it.
        const silent = address.includes(":") ? ["nodad", "preferred_lft", "0"] : [];
        await outside(external, ["ip", "address", "replace", ...argv, ...silent]);
        DeferCleanup(() => external.exec(["ip", "address", "delete", ...argv]));
      }
      for (const node of world.workers.keys()) {
        const link = (...argv: readonly string[]) => on(world, node, "ip", "link", ...argv);
        DeferCleanup(() => cluster.exec(world.workers[node] ?? "", ["ip", "link", "delete", LOCAL_LINK]));
        await link("add", "name", LOCAL_LINK, "type", "bridge");
        for (const family of world.families)
          await on(world, node, "ip", "address", "add", hostCidrOnNode(family), "dev", LOCAL_LINK);
        await link("set", LOCAL_LINK, "up");
      }
      // The bridge plugin leaves its bridge when the last pod is gone.
      for (const node of world.workers) DeferCleanup(() => cluster.exec(node, ["ip", "link", "delete", BRIDGE]));
      DeferCleanup(() => removeNamespace(api, NAMESPACE));
      const namespace: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
      await ensure(api, namespace);
      const guests = [
        ...SHAPES.map(({ guest }) => guest),
        ...ROUTING_GUESTS,
        carefulGuest(world),
        ...OPTIONS,
        ...BEHIND_GATEWAY,
      ];
      await By(`${guests.length} pods, and some that will not be ready`, async () => {
        await Promise.all([...guests, WRONG, ...unsafe(world)].map((guest) => comes(world, guest)));
        await Promise.all(guests.map(({ name }) => isReady(world, name)));
      });
    },
    { timeout: 300_000 },
  );

  const it = () => world;
  shapeSpecs(it);
  routingSpecs(it);
  safetySpecs(it);
  linkSpecs(it);
  explainSpecs(it);
  replySpecs(it);
  moveSpecs(it);
  verbSpecs(it);
  rpFilterSpecs(it, VARIANT);
  logSpecs(it);
  crowdSpecs(it);
});
