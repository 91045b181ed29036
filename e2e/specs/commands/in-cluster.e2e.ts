import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { unpackArchive } from "../../../results/files/bundle.ts";
import { readReport } from "../../../results/files/write.ts";
import { diffLines, readObjects } from "../../existing-cluster/cluster-state.ts";
import { Sonobuoy } from "../../in-cluster/sonobuoy.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../../harness.ts";
import { type ClusterApi } from "../../support/cluster-api.ts";
import { runCommandProcess } from "../../support/e2e-process.ts";
import { setupCluster } from "../../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

const RUN_TIMEOUT_MS = 600_000;
const PLUGIN_TIMEOUT_MS = 1_200_000;

/** Commands that get only the kubeconfig of a cluster: the suite as a Job in it, and the dump of its state. */
export function registerSpecs(run: TestRun): void {
  Describe("the suite in the cluster", { labels: ["in-cluster"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;

    BeforeAll(
      async () => {
        ({ cluster, api } = await setupCluster(run));
      },
      { timeout: 0 },
    );

    It("runs as a Job, leaves its results, and removes what it created", { timeout: RUN_TIMEOUT_MS }, async () => {
      if (cluster.provider !== "kind") Skip("the nodes of a lab have no images");
      const before = await readObjects(api);
      const { exitCode, stdout, stderr } = await By("npm run in-cluster", () =>
        runCommandProcess("in-cluster", ["--kubeconfig", cluster.kubeconfig]),
      );
      assert.equal(exitCode, 0, `${stdout}${stderr}`.slice(-8000));
      const directory = /^results: (.+)\/report\.json/m.exec(stdout)?.[1] ?? "";
      const { provider, summary } = await readReport(directory);
      assert.equal(provider, "existing");
      assert.ok(summary.passed > 200, `only ${summary.passed} passed`);
      await Eventually(
        "the objects of before",
        async () => diffLines(before, await readObjects(api)),
        (differences) => differences.length === 0,
        { timeout: 30_000, interval: 1000 },
      );
    });

    It("runs as a plugin of Sonobuoy, whose archive has the results", { timeout: PLUGIN_TIMEOUT_MS }, async () => {
      const importImages = cluster.importImages?.bind(cluster);
      if (cluster.provider !== "kind" || importImages === undefined) Skip("the nodes of a lab have no images");
      const directory = await mkdtemp(join(tmpdir(), "interlay-sonobuoy-"));
      DeferCleanup(() => rm(directory, { recursive: true }));
      const sonobuoy = await By("Sonobuoy", async () => {
        const client = await Sonobuoy.create(cluster.kubeconfig);
        await importImages([client.image]);
        return client;
      });
      const before = await readObjects(api);
      const plugin = await By("npm run in-cluster -- --print sonobuoy", () =>
        runCommandProcess("in-cluster", ["--kubeconfig", cluster.kubeconfig, "--print", "sonobuoy"]),
      );
      assert.equal(plugin.exitCode, 0, plugin.stderr.slice(-8000));
      DeferCleanup(() => sonobuoy.delete());
      await By("sonobuoy run", () => sonobuoy.runPlugin(plugin.stdout, directory));
      const archive = await By("sonobuoy retrieve", () => sonobuoy.retrieve(directory));
      const { status, total, failed } = await sonobuoy.summarize(archive, "interlay");
      assert.deepEqual({ status, failed }, { status: "passed", failed: 0 });
      assert.ok(total > 200, `only ${total} tests`);
      await sonobuoy.unpack(archive, directory);
      const results = join(directory, "plugins/interlay/results/global");
      assert.equal((await readReport(results)).summary.failed, 0);
      for (const file of ["junit.xml", "report.md", "output.log"])
        assert.notEqual((await readFile(join(results, file), "utf8")).trim(), "", file);
      await By("sonobuoy delete", () => sonobuoy.delete());
      assert.deepEqual(diffLines(before, await readObjects(api)), []);
    });

    It("can be dumped with only its kubeconfig, nodes by their agents", { timeout: RUN_TIMEOUT_MS }, async () => {
      const directory = await mkdtemp(join(tmpdir(), "interlay-sysdump-spec-"));
      DeferCleanup(() => rm(directory, { recursive: true }));
      const archive = join(directory, "dump.tar.gz");
      const { exitCode, stdout, stderr } = await By("npm run sysdump", () =>
        runCommandProcess("sysdump", ["--kubeconfig", cluster.kubeconfig, "--file", archive]),
      );
      assert.equal(exitCode, 0, `${stdout}${stderr}`.slice(-8000));
      const unpacked = await unpackArchive(archive);
      DeferCleanup(() => rm(unpacked, { recursive: true }));
      const read = (name: string) => readFile(join(unpacked, name), "utf8");
      assert.match(await read("sysdump.json"), /"nodesReadBy": "agent"/);
      assert.ok((JSON.parse(await read("objects/Pod.json")) as readonly unknown[]).length > 0);
      for (const { name } of cluster.nodes) {
        assert.match(await read(`nodes/${name}/links.txt`), /: lo: /);
        assert.match(await read(`nodes/${name}/doctor.json`), /"node"/);
      }
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
