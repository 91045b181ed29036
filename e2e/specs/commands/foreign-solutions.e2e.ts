import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import { stringify } from "yaml";
import { uninstallInterlay } from "../../../clusters/kubernetes/uninstall-interlay.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { readCertificate } from "../../certify/read-certificate.ts";
import { runOnExistingCluster } from "../../existing-cluster/run-on-existing-cluster.ts";
import { planStaticRoutes } from "../../existing-cluster/static-routes.ts";
import { BeforeAll, By, DeferCleanup, Describe, It, Skip } from "../../harness.ts";
import { clusterApi, ensureObject } from "../../support/cluster-api.ts";
import { runCommandProcess } from "../../support/e2e-process.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

const RUN_TIMEOUT_MS = 1_800_000;
const NETWORK = "static-routes";
/** Options of a run that tests the installed solution and requires every cell to pass. */
const FLAGS = ["--yes", "--datapath", "none", "--network", `default/${NETWORK}`, "--return-path", "notrack"] as const;

type OverlayKind = "calico" | "flannel";
/**
 * Cells whose replies bypass the client's node. flannel masquerades what comes from other networks than its own and goes to
 * another node, so that only the replies of net1 remain.
 */
const ASYMMETRIC: Readonly<Record<OverlayKind, RegExp>> = {
  calico: /^matrix\/underlay-\d-a\/overlay-\d-b\/other-node\/tcp/,
  flannel: /^matrix\/underlay-\d-a\/multi-nic-\d-b\/same-node\/tcp/,
};

/**
 * Another solution than Interlay: macvlan of the reference plugins with static routes by hand, in a lab whose Interlay is
 * uninstalled. The overlay is that of the lab's environment, such as flannel. The verdicts must be honest: cells fail where packets
 * are dropped, the exit status is not 0, and no certificate passes.
 */
export function registerSpecs(run: TestRun): void {
  Describe("macvlan with static routes by hand", { labels: ["foreign-solutions"], ordered: true }, () => {
    let cluster: Cluster;

    BeforeAll(
      async () => {
        cluster = await By("the cluster", run.cluster);
        if (cluster.provider !== "lab") return;
        const config = loadKubeConfig(cluster);
        await By("the cluster without Interlay", () =>
          uninstallInterlay(config, { timeoutMs: 120_000, force: true, log: () => undefined }),
        );
        const networks = {
          underlay: cluster.spec.underlayCidr,
          overlay: cluster.spec.overlayCidr,
          services: cluster.spec.serviceCidr,
        };
        for (const [index, { name, address }] of cluster.nodes.entries()) {
          const { file, commands } = planStaticRoutes(NETWORK, { address, index }, networks);
          const write = ["sh", "-c", 'printf %s "$1" >"$2"', "sh", file.content, file.path];
          for (const argv of [write, ...commands]) {
            const { exitCode, stderr } = await cluster.exec(name, argv);
            assert.equal(exitCode, 0, `${argv.join(" ")} on ${name}: ${stderr}`);
          }
        }
        const network = {
          apiVersion: "k8s.cni.cncf.io/v1",
          kind: "NetworkAttachmentDefinition",
          metadata: Object.assign({}, { name: NETWORK, namespace: "default" }),
        };
        await ensureObject(clusterApi(cluster), network);
      },
      { timeout: 0 },
    );

    It("fails the run, with the cells whose packets are dropped", { timeout: RUN_TIMEOUT_MS }, async () => {
      if (cluster.provider !== "lab") Skip("the routes are made on the nodes of a lab");
      const { exitCode, output, report } = await By("npm run e2e", () => runOnExistingCluster(cluster, FLAGS));
      assert.equal(exitCode, 1, output);
      const cells = report?.variants.flatMap((variant) => variant.cells) ?? [];
      const listFailed = (pattern: RegExp) => cells.filter(({ id, ok }) => pattern.test(id) && !ok).map(({ id }) => id);
      assert.ok(cells.length > 200, `only ${cells.length} cells`);
      assert.deepEqual(
        listFailed(/^matrix\/overlay-\d-a\/(overlay|service:overlay)-/),
        [],
        "the overlay works by itself",
      );
      assert.deepEqual(listFailed(/^matrix\/underlay-\d-a\/underlay-/), [], "macvlan works by itself");
      // kube-proxy drops what follows a reply that bypasses the client's node.
      const listAsymmetric = (overlay: OverlayKind) => listFailed(ASYMMETRIC[overlay]);
      const isFlannel = cluster.spec.environment?.spec.overlay?.kind === "flannel";
      assert.notDeepEqual(listAsymmetric(isFlannel ? "flannel" : "calico"), []);
      if (isFlannel)
        assert.deepEqual(listAsymmetric("calico"), [], "flannel masquerades it, so that replies come back");
    });

    It("gets no certificate that passes", { timeout: RUN_TIMEOUT_MS }, async () => {
      if (cluster.provider !== "lab") Skip("the routes are made on the nodes of a lab");
      const directory = await mkdtemp(join(tmpdir(), "interlay-foreign-"));
      DeferCleanup(() => rm(directory, { recursive: true }));
      const out = join(directory, "submission");
      const product = { vendor: "An administrator", name: "macvlan with static routes", version: "1" };
      const productFile = join(directory, "product.yaml");
      await writeFile(productFile, stringify(product));
      const argv = ["--provider", "existing", "--kubeconfig", cluster.kubeconfig, "--repeat", "1", "--out", out];
      argv.push("--product", productFile);
      const { exitCode, stdout, stderr } = await By("npm run certify", () =>
        runCommandProcess("certify", [...argv, ...FLAGS]),
      );
      assert.equal(exitCode, 1, `${stdout}${stderr}`.slice(-4000));
      assert.match(stdout, /verified: signature, schema, digests, completeness/);
      assert.match(stdout, /^ {2}fail +connectivity: /m);
      const certificate = (await readCertificate(join(out, "certificate.json"))).statement?.predicate;
      assert.deepEqual(certificate?.product, product);
      const { daemonSets = [], crds = [] } = certificate.components ?? {};
      assert.ok(crds.length > 0, "no CustomResourceDefinition in the evidence");
      const names = [...daemonSets, ...crds].map(({ name }) => name);
      assert.deepEqual(
        names.filter((name) => name.includes("interlay")),
        [],
        "the product is not Interlay",
      );
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
