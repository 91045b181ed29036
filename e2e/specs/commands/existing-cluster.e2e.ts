import assert from "node:assert/strict";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import { uninstallInterlay } from "../../../clusters/kubernetes/uninstall-interlay.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { type ClusterApi, ensureObject } from "../../support/cluster-api.ts";
import { runOnExistingCluster } from "../../existing-cluster/run-on-existing-cluster.ts";
import { diffLines, readStableNodes, readObjects } from "../../existing-cluster/cluster-state.ts";
import { createSimulatedNodes, SIMULATED_NODES } from "../../existing-cluster/simulated-nodes.ts";
import type { Report } from "../../../results/schema.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../../harness.ts";
import { setupCluster } from "../../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

const RUN_TIMEOUT_MS = 600_000;
/** Range of the underlay that the cluster's own pods do not use. */
const POOL = "10.7.210.0/24";
/** Milliseconds between two reads that must be equal. */
const SETTLED_MS = 4000;

/**
 * Runs `--provider existing` as a user does, against this run's cluster: the suite must pass there, and the state of the cluster
 * before and after must be equal.
 */
export function registerSpecs(run: TestRun): void {
  Describe("a run on an existing cluster", { labels: ["existing-cluster"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;

    BeforeAll(
      async () => {
        ({ cluster, api } = await setupCluster(run));
      },
      { timeout: 0 },
    );

    const readState = async () => [...(await readObjects(api)), ...(await readStableNodes(cluster))];

    /** Returns the state once it no longer changes: felix still configures links when the nodes are Ready. */
    async function readSettledState(): Promise<readonly string[]> {
      let last: readonly string[] = [];
      return Eventually(
        "two equal reads of the cluster's state",
        async () => {
          const before = last;
          last = await readState();
          return { last, changed: diffLines(before, last) };
        },
        ({ changed }) => changed.length === 0,
        { timeout: 60_000, interval: SETTLED_MS },
      ).then((read) => read.last);
    }

    async function runAndCompareState(flags: readonly string[]) {
      const before = await By("the cluster's state before", readSettledState);
      const result = await By(`npm run e2e -- --provider existing ${flags.join(" ")}`, () =>
        runOnExistingCluster(cluster, flags),
      );
      await Eventually(
        "the cluster's state is restored",
        async () => diffLines(before, await readState()),
        (differences) => differences.length === 0,
        { timeout: 30_000, interval: 1000 },
      );
      return result;
    }

    It("changes nothing without --yes", { timeout: RUN_TIMEOUT_MS }, async () => {
      const { exitCode, output } = await runAndCompareState([]);
      assert.equal(exitCode, 0, output);
      assert.match(output, /Nothing was changed/);
    });

    It("runs next to the installed Interlay, with a range of its own", { timeout: RUN_TIMEOUT_MS }, async () => {
      const external = await By("a host on the underlay", () => cluster.external());
      const target = external === undefined ? [] : ["--external", external.address];
      const { exitCode, output, report } = await runAndCompareState(["--yes", "--pool", POOL, ...target]);
      assert.equal(exitCode, 0, output);
      const cells = report?.variants.flatMap((variant) => variant.cells) ?? [];
      assert.ok(cells.length > 200, `only ${cells.length} cells`);
      const underlayCells = cells.filter(({ target, group }) => target === "underlay" && group === "matrix");
      assert.ok(
        underlayCells.length > 0 && underlayCells.every(({ address }) => address.startsWith("10.7.210.")),
        "addresses are not in the named range",
      );
      assert.equal(
        cells.some(({ group }) => group === "external-target"),
        external !== undefined,
        "every pod type pings the target of --external",
      );
    });

    It("tests another installed solution, without assertions about Interlay", { timeout: RUN_TIMEOUT_MS }, async () => {
      const { exitCode, output, report } = await runAndCompareState([
        "--yes",
        "--datapath",
        "none",
        "--return-path",
        "notrack",
        "--network",
        "interlay-system/underlay",
      ]);
      assert.equal(exitCode, 0, output);
      const skipped = report?.checks.filter(({ status }) => status === "skipped").map(({ error }) => error) ?? [];
      assert.ok(skipped.some((reason) => reason?.includes("another solution than Interlay")));
    });

    It("fails for plain macvlan, which is not a solution", { timeout: RUN_TIMEOUT_MS }, async () => {
      const config = { cniVersion: "1.0.0", name: "plain", type: "macvlan", master: "eth0", mode: "bridge" };
      const network = {
        apiVersion: "k8s.cni.cncf.io/v1",
        kind: "NetworkAttachmentDefinition",
        metadata: Object.assign({}, { name: "plain", namespace: "default" }),
        spec: { config: JSON.stringify({ ...config, ipam: { type: "interlay-ipam" } }) },
      };
      await ensureObject(api, network);
      try {
        const { exitCode, output, report } = await runAndCompareState([
          "--yes",
          "--datapath",
          "none",
          "--return-path",
          "notrack",
          "--network",
          "default/plain",
          "--cells",
          "^matrix/underlay-1-a/(overlay|service)",
        ]);
        assert.equal(exitCode, 1, output);
        const failed = report?.checks.filter(({ status }) => status === "failed").map(({ name }) => name) ?? [];
        assert.ok(
          failed.some((name) => name.endsWith("cells: matrix")),
          `these checks failed: ${failed.join(", ")}`,
        );
      } finally {
        await api.objects.delete(network);
      }
    });

    It(
      "creates no pods in the nodes' network with --no-host-pods, and reports the skipped cells",
      { timeout: RUN_TIMEOUT_MS },
      async () => {
        const { exitCode, output, report } = await runAndCompareState(["--yes", "--no-host-pods"]);
        assert.equal(exitCode, 0, output);
        assert.equal(report?.variants[0]?.invalidDropRule, undefined);
        assert.ok(
          report?.checks.some(({ status, error }) => status === "skipped" && error?.includes("nodes' network")),
        );
      },
    );

    It("uses the two workers with agents among fifty-two nodes", { timeout: RUN_TIMEOUT_MS }, async () => {
      DeferCleanup(await By("fifty nodes without machines", () => createSimulatedNodes(api)));
      const listLeftOut = (report: Report | undefined) =>
        report?.checks.find(({ name }) => name.endsWith("every node that is selected has pods"));
      const everyNode = await runAndCompareState(["--yes", "--pool", POOL]);
      assert.equal(everyNode.exitCode, 0, everyNode.output);
      const { status, error = "" } = listLeftOut(everyNode.report) ?? {};
      assert.equal(status, "skipped");
      const count = (reason: string) => error.split(reason).length - 1;
      const { withoutAgent, notReady, cordoned } = SIMULATED_NODES;
      assert.equal(count("(not Ready)"), notReady, error);
      assert.equal(count("(unschedulable)"), cordoned, error);
      assert.equal(count("(without Interlay's agent"), withoutAgent, error);
      const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
      const selector = `kubernetes.io/hostname in (${workers.join(",")})`;
      const selected = await runAndCompareState(["--yes", "--pool", POOL, "--node-selector", selector]);
      assert.equal(selected.exitCode, 0, selected.output);
      assert.equal(listLeftOut(selected.report)?.status, "passed");
    });

    // Last: it uninstalls the cluster's own Interlay.
    It("installs Interlay if it is missing, and uninstalls it", { timeout: RUN_TIMEOUT_MS }, async () => {
      const config = loadKubeConfig(cluster);
      await By("the cluster without Interlay", () =>
        uninstallInterlay(config, { timeoutMs: 120_000, force: true, log: () => undefined }),
      );
      const { exitCode, output, report } = await runAndCompareState(["--yes", "--pool", POOL]);
      assert.equal(exitCode, 0, output);
      assert.ok((report?.summary.passed ?? 0) > 200);
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
