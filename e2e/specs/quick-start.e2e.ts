import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { installInterlay } from "../../clusters/addons/install-addons.ts";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getGateway } from "../../clusters/spec/address-ranges.ts";
import { nodeStateStatusSchema, poolStatusSchema } from "../../plugin/kubernetes/status-schemas.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { readAgentImage } from "../install/agents.ts";
import { applyExamplePods, EXAMPLE_PODS, pingExamplePods } from "../install/example-pods.ts";
import { InterlayCommand } from "../install/interlay-command.ts";
import { createKubectl } from "../install/create-kubectl.ts";
import { type ClusterApi, clusterApi } from "../support/cluster-api.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const REFERENCE = join(import.meta.dirname, "..", "..", "docs", "reference", "cli.md");
const STATUS = z.object({
  ready: z.boolean(),
  problems: z.array(z.string()),
  nodes: z.array(z.object({ name: z.string(), ready: z.boolean() })),
});
/** Cells that `interlay test` probes here; the suite `matrix` probes all. */
const CELLS = "^matrix/(underlay|multi-nic)-1-a/overlay";
/** Returns ranges of the pool and of the pool that `interlay test` makes for its pods, and an address outside of it. */
const listRanges = (underlayCidr: string) => {
  const [first, second] = underlayCidr.split(".");
  const prefix = `${first ?? ""}.${second ?? ""}`;
  return { pool: `${prefix}.200.10-${prefix}.200.250`, test: `${prefix}.210.0/24`, unused: `${prefix}.200.9` };
};
const TIMEOUT = { timeout: 600_000 };

/** Commands with `-o` that other suites run, or that need no cluster's answer. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  "dev e2e": "it is npm run e2e",
  "certify page": "e2e/certify/publish.cli.test.ts",
  "certify show": "e2e/certify/stock-tools.cli.test.ts",
  "report render": "it writes a page",
};

/** The specs depend on each other: they are the steps of docs/install.md on a cluster without Interlay. */
export function registerSpecs(run: TestRun): void {
  Describe(
    "quick start: from a cluster without Interlay to pods of all types, and back",
    { labels: ["quick-start"] },
    () => {
      let cluster: Cluster;
      let api: ClusterApi;
      let kubectl: Kubectl;
      let interlay: InterlayCommand;
      let image: string;
      /** Directory of the results of `interlay test`. */
      let results: string;
      /** Commands whose JSON was read. */
      const readCommands = new Set<string>();
      let ranges: ReturnType<typeof listRanges>;
      const readJson = (name: string, argv: readonly string[] = [], exitCode = 0, isLocal = false) => {
        readCommands.add(name);
        return interlay.runForDocument([...name.split(" "), ...argv], { exitCode, isLocal });
      };

      BeforeAll(
        async () => {
          cluster = await run.cluster();
          ranges = listRanges(cluster.spec.underlayCidr);
          api = clusterApi(cluster);
          kubectl = await createKubectl(cluster);
          interlay = new InterlayCommand(cluster);
          image = await readAgentImage(kubectl);
          DeferCleanup(() => installInterlay(kubectl, { spec: cluster.spec, interlay: image })); // for further suites
          results = await mkdtemp(join(tmpdir(), "interlay-quick-start-"));
          DeferCleanup(() => rm(results, { recursive: true }));
          await interlay.run(["uninstall", "--yes"]);
        },
        { timeout: 0 },
      );

      It("interlay status says that Interlay is not installed, and ends with 1", TIMEOUT, async () => {
        const status = STATUS.parse(await readJson("status", [], 1));
        assert.deepEqual(
          [status.ready, status.problems],
          [false, ["Interlay is not installed: run interlay install."]],
        );
      });

      It("interlay install with a pool makes every node ready", TIMEOUT, async () => {
        const pool = ["--subnet", cluster.spec.underlayCidr, "--range", ranges.pool];
        const argv = ["--image", image, ...pool, "--gateway", getGateway(cluster.spec.underlayCidr)];
        const planned = z
          .array(z.object({ kind: z.string() }))
          .parse(await readJson("install", [...argv, "--dry-run"]));
        assert.ok(planned.some(({ kind }) => kind === "DaemonSet"));
        assert.equal(
          (await kubectl.run(["get", "crd", "--output", "name"])).match(/interlay\.dev$/gm),
          null,
          "a dry run",
        );
        const { stdout } = await interlay.run(["install", ...argv]);
        assert.match(stdout, /^Interlay is ready\.$/m);
        const status = STATUS.parse(await readJson("install")); // again, with what is installed
        assert.deepEqual([status.ready, status.nodes.length], [true, cluster.nodes.length]);
        await interlay.run(["status", "--wait"]);
      });

      It("the pods of examples/three-pods.yaml start and reach each other", TIMEOUT, async () => {
        await By("kubectl apply -f examples/three-pods.yaml", () => applyExamplePods(kubectl, cluster));
        await Eventually(
          "every example pod reaches the others",
          () => pingExamplePods(cluster, api),
          (failed) => failed.length === 0,
          { timeout: 120_000 }, // docker exec takes seconds on a busy computer
        );
      });

      It("objects have no field that their schemas drop, and conditions with times", TIMEOUT, async () => {
        const list = z.object({ items: z.array(z.object({ status: z.unknown() })) });
        const readStatuses = async (plural: string) =>
          list
            .parse(JSON.parse(await kubectl.run(["get", plural, "--output", "json"])))
            .items.map(({ status }) => status);
        const nodes = await readStatuses("nodestates");
        assert.equal(nodes.length, cluster.nodes.length);
        // A patch with null removes the field: the version of a kube-proxy that does not answer.
        for (const status of nodes) nodeStateStatusSchema.partial().parse(status);
        const pools = await Eventually(
          "the pool's status",
          () => readStatuses("underlaypools"),
          (statuses) => statuses.every((status) => status !== undefined),
        );
        for (const status of pools) poolStatusSchema.parse(status);
        assert.match(
          await kubectl.run(["explain", "underlaypool.status.occupied"]),
          /Node or Service that has the address/,
        );
        const table = await kubectl.run(["get", "interlay"]);
        process.stdout.write(`${table}\n`);
        assert.match(table, /^underlaypool\.interlay\.dev\/underlay /m);
      });

      It("interlay doctor, trace, explain, ip, version and sysdump describe the cluster", TIMEOUT, async () => {
        const doctor = z.object({ findings: z.array(z.unknown()) }).parse(await readJson("doctor"));
        assert.deepEqual(doctor.findings, []);
        await interlay.run(["doctor"]);
        const trace = z.object({ verdict: z.string() }).parse(await readJson("trace", ["underlay", "overlay:8080"]));
        assert.equal(trace.verdict, "pass");
        await interlay.run(["trace", "underlay", "overlay:8080"]);
        assert.match((await interlay.run(["explain", "underlay"])).stdout, /veth0/);
        const addresses = z.array(z.object({ spec: z.object({ pod: z.object({ name: z.string() }) }) }));
        const holders = addresses.parse(await readJson("ip list")).map(({ spec }) => spec.pod.name);
        assert.deepEqual(holders.sort(), ["multi-nic", "underlay"]);
        await interlay.run(["ip", "list"]);
        assert.deepEqual(await readJson("ip check"), { found: [] });
        const uses = z.array(z.object({ pod: z.string() })).parse(await readJson("ip history"));
        for (const holder of holders)
          assert.ok(
            uses.some(({ pod }) => pod.endsWith(`/${holder}`)),
            holder,
          );
        await readJson("ip release", [ranges.unused], 2); // nobody has it
        const version = z.object({ agents: z.array(z.unknown()) }).parse(await readJson("version", ["--cluster"]));
        assert.equal(version.agents.length, cluster.nodes.length);
        await interlay.run(["version", "--cluster"]);
        const dump = join(results, "sysdump.tar.gz");
        assert.match(JSON.stringify(await readJson("sysdump", ["--file", dump])), /sysdump\.tar\.gz/);
        await readJson("migrate", ["whereabouts"], 2); // the cluster has none
        await readJson("cluster list", [], 0, true);
      });

      It("interlay test passes, and its report can be shown and compared", TIMEOUT, async () => {
        const argv = ["--yes", "--pool", ranges.test, "--cells", CELLS, "--results-directory", results];
        const report = z
          .object({ id: z.string(), summary: z.object({ passed: z.number(), failed: z.number() }) })
          .parse(await readJson("test", argv));
        assert.equal(report.summary.failed, 0);
        assert.ok(report.summary.passed > 0);
        z.object({ id: z.literal(report.id) }).parse(await readJson("report show", [results], 0, true));
        assert.deepEqual(
          z
            .object({ differences: z.array(z.unknown()) })
            .parse(await readJson("report compare", [results, results], 0, true)).differences,
          [],
        );
        await readJson("report history", [], 0, true);
      });

      It("every command with -o json was run, and prints a document alone on stdout", async () => {
        const sections = (await readFile(REFERENCE, "utf8")).split(/^## interlay /m).slice(1);
        const documented = sections
          .filter((section) => section.includes("`-o, --output <format>`"))
          .map((section) => section.split("\n", 1)[0] ?? "");
        assert.deepEqual(
          documented.filter((name) => !readCommands.has(name) && RUN_ELSEWHERE[name] === undefined),
          [],
        );
      });

      It("interlay uninstall refuses while pods are attached, then removes Interlay", TIMEOUT, async () => {
        assert.match((await interlay.run(["uninstall", "--yes"], 2)).stderr, /Cannot uninstall: 2 pods/);
        await kubectl.run(["delete", "--wait", ...EXAMPLE_PODS.map((name) => `pod/${name}`)]);
        assert.match((await interlay.run(["uninstall", "--yes"])).stdout, /every node is restored/);
        assert.equal((await kubectl.run(["get", "crd", "--output", "name"])).match(/interlay\.dev$/gm), null);
        STATUS.parse(await readJson("status", [], 1));
        run.results.snapshots.set("quick-start.txt", interlay.transcript);
      });
    },
  );
}

registerIfMain(import.meta.url, registerSpecs);
