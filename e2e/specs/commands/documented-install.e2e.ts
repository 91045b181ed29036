import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installInterlay } from "../../../clusters/addons/install-addons.ts";
import { resolveComponents } from "../../../clusters/components/resolve.ts";
import { type DockerEngine, findRunningEngine } from "../../../clusters/docker/engine.ts";
import { findAdmissionVersion } from "../../../clusters/kubernetes/admission-version.ts";
import type { Kubectl } from "../../../clusters/kubernetes/kubectl.ts";
import { createPlainProgress } from "../../../clusters/progress/plain.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { SYSTEM_NAMESPACE } from "../../../plugin/kubernetes/objects.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../../harness.ts";
import { listPodIdentities, readAgentImage, waitForAgents } from "../../install/agents.ts";
import { createKubectl } from "../../install/create-kubectl.ts";
import { DocumentedBlocks } from "../../documented/documented-blocks.ts";
import { DocumentedShell } from "../../documented/documented-shell.ts";
import { applyExamplePods, EXAMPLE_PODS, pingExamplePods } from "../../install/example-pods.ts";
import { resolveHelm, splitReference } from "../../install/helm.ts";
import { LoopbackRegistry } from "../../documented/loopback-registry.ts";
import { type ClusterApi, clusterApi } from "../../support/cluster-api.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

const PAGE = join(import.meta.dirname, "..", "..", "..", "docs", "install.md");
const TIMEOUT = { timeout: 600_000 };
/** Blocks that are not run, by their first line, with the reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "docker buildx build -f plugin/deploy/Dockerfile --target interlay --platform linux/amd64,linux/arm64 \\":
    "its base images are at Docker Hub",
};
/** Blocks that only a cluster runs whose nodes pull images. */
const WITH_REGISTRY = ["npm run build -- --images", "docker load --input plugin/dist/images.tar"];

/** Returns the first two bytes of an IPv4 network like the page's 10.7.0.0/16: a cluster uses another if that one is taken. */
const getPrefix = (cidr: string): string => cidr.split(".").slice(0, 2).join(".").concat(".");
/** Returns the tag of a newer version, whose content is the same. */
const addSuffix = (tag: string): string => `${tag}-newer`;

/** The specs depend on each other: they run the blocks of docs/install.md as they are, with values for the placeholders. */
export function registerSpecs(run: TestRun): void {
  Describe("docs/install.md: its commands, as written", { labels: ["documented-install"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let kubectl: Kubectl;
    let shell: DocumentedShell;
    let blocks: DocumentedBlocks;
    let engine: DockerEngine | undefined;
    /** Registry that step 1 starts, and all later steps use. */
    let registry: LoopbackRegistry | undefined;
    /** Values of REPOSITORY and TAG. */
    let image: { readonly REPOSITORY: string; readonly TAG: string };
    const runBlock = (start: string, values: Readonly<Record<string, string>> = {}) =>
      shell.run(blocks.read(start, { ...image, ...values }));

    BeforeAll(
      async () => {
        cluster = await run.cluster();
        api = clusterApi(cluster);
        kubectl = await createKubectl(cluster);
        const reference = await readAgentImage(kubectl);
        DeferCleanup(() => installInterlay(kubectl, { spec: cluster.spec, interlay: reference }));
        const { repository, tag } = splitReference(reference);
        image = { REPOSITORY: repository, TAG: tag };
        blocks = new DocumentedBlocks(await readFile(PAGE, "utf8"));
        const components = await resolveComponents(
          [{ name: "kubectl", version: cluster.spec.kubernetes }],
          createPlainProgress(),
        );
        engine = await findRunningEngine();
        shell = await DocumentedShell.create(
          { kubectl: components.path("kubectl"), helm: await resolveHelm() },
          { KUBECONFIG: cluster.kubeconfig, ...engine?.env },
        );
        DeferCleanup(() => shell.close());
        DeferCleanup(() => registry?.close());
        await runBlock("npx interlay uninstall");
      },
      { timeout: 0 },
    );

    It("step 1: the image is built, and pushed to a registry on loopback", { timeout: 1_200_000 }, async () => {
      if (cluster.provider !== "kind") Skip("only kind's nodes pull images");
      assert.ok(engine !== undefined, "the Docker daemon of the nodes does not answer");
      registry = await LoopbackRegistry.start(cluster, engine);
      const printed = await runBlock("npm run build -- --images");
      const hash = /interlay\.dev\/interlay:(\w+)/.exec(printed)?.[1];
      assert.ok(hash !== undefined, printed);
      image = { REPOSITORY: `${registry.host}/interlay`, TAG: "documented" };
      for (const TAG of [image.TAG, addSuffix(image.TAG)]) await runBlock("docker load", { HASH: hash, TAG });
    });

    It("steps 2 to 5 with Helm: agents, a pool, pods of each type that reach each other", TIMEOUT, async () => {
      await runBlock("helm install");
      await waitForAgents(kubectl);
      await runStepsFromPools();
    });

    It("the upgrade with Helm replaces the agents, and pods of each type still reach each other", TIMEOUT, async () => {
      const before = await listPodIdentities(api, SYSTEM_NAMESPACE, "app=interlay");
      await runBlock("kubectl apply -f plugin", { TAG: addSuffix(image.TAG) });
      await waitForAgents(kubectl);
      const after = await listPodIdentities(api, SYSTEM_NAMESPACE, "app=interlay");
      assert.deepEqual([after.length, after.filter((agent) => before.includes(agent))], [cluster.nodes.length, []]);
      await assertPodsReachEachOther();
    });

    It("helm uninstall, then interlay uninstall with the image, restore the nodes", TIMEOUT, async () => {
      await deletePods();
      assert.match(await runBlock("helm uninstall"), /every node is restored/);
      await assertNoKinds();
    });

    It("steps 2 to 5 with kustomize, and interlay uninstall", TIMEOUT, async () => {
      const text = blocks.read("apiVersion: kustomize", image);
      const admission = await findAdmissionVersion((path) => kubectl.readPath(path));
      await shell.write(
        "my-cluster/kustomization.yaml",
        admission === "v1" ? text : text.replace(/^# components:/m, "components:"),
      );
      await runBlock("kubectl apply -k", { DIRECTORY: "my-cluster" });
      await waitForAgents(kubectl);
      await runStepsFromPools();
      await deletePods();
      assert.match(await runBlock("npx interlay uninstall"), /every node is restored/);
      await assertNoKinds();
    });

    It("steps 2 to 5 with interlay install, and interlay uninstall", TIMEOUT, async () => {
      assert.match(await runBlock("npx interlay install"), /^Interlay is ready\.$/m);
      await runStepsFromPools();
      await deletePods();
      assert.match(await runBlock("npx interlay uninstall"), /every node is restored/);
    });

    It("every block of the page was run", () => {
      const allowed = [...Object.keys(NOT_RUN), ...(cluster.provider === "kind" ? [] : WITH_REGISTRY)];
      assert.deepEqual(
        blocks.listUnused().filter((line) => !allowed.includes(line)),
        [],
      );
    });

    async function runStepsFromPools(): Promise<void> {
      await shell.write(
        "pool.yaml",
        blocks.read("apiVersion: interlay.dev").replaceAll(/\b10\.7\./g, getPrefix(cluster.spec.underlayCidr)),
      );
      await runBlock("kubectl apply -f FILE", { FILE: "pool.yaml" });
      await Eventually(
        "the controller has written the network's definition",
        () => kubectl.run(["-n", SYSTEM_NAMESPACE, "get", "net-attach-def", "--output", "name"]),
        (names) => names.includes("/underlay"),
        { timeout: 60_000 },
      );
      await By("pods of each type", () => applyExamplePods(kubectl, cluster));
      await assertPodsReachEachOther();
      assert.match(await runBlock("kubectl get nodestates"), /Every cell is predicted to pass/);
      if (cluster.provider === "kind") await assertImagePulled();
    }

    async function assertPodsReachEachOther(): Promise<void> {
      await Eventually(
        "every pod reaches the others",
        () => pingExamplePods(cluster, api),
        (failed) => failed.length === 0,
        { timeout: 120_000 }, // docker exec takes seconds on a busy computer
      );
    }

    /** Asserts that nodes pulled the image from the registry, at least once in this namespace's life. */
    async function assertImagePulled(): Promise<void> {
      const { items } = await api.core.listNamespacedEvent({ namespace: SYSTEM_NAMESPACE });
      const reference = `${image.REPOSITORY}:${image.TAG}`;
      assert.ok(
        items.some(({ reason, message }) => reason === "Pulled" && message?.includes(reference)),
        `no node pulled ${reference}`,
      );
    }

    async function deletePods(): Promise<void> {
      await kubectl.run(["delete", "--wait", ...EXAMPLE_PODS.map((name) => `pod/${name}`)]);
    }

    async function assertNoKinds(): Promise<void> {
      assert.equal((await kubectl.run(["get", "crd", "--output", "name"])).match(/interlay\.dev$/gm), null);
    }
  });
}

registerIfMain(import.meta.url, registerSpecs);
