import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider.ts";
import { type CellResult, POD_TYPES } from "../../results/schema.ts";
import { formatRerunCommand, formatRerunFlags, formatVariantFlags } from "../../results/rerun.ts";
import { summarizeCells } from "../../results/table.ts";
import { variantTitle } from "../../results/title.ts";
import { type ClusterApi, clusterApi, removeNamespace } from "../support/cluster-api.ts";
import { runOptions, theCluster } from "../support/context.ts";
import { withCauses } from "../doctor/causes.ts";
import { findFalseGreen, predictCells, type Predictions, withPredictions } from "../doctor/predictions.ts";
import { checkConditions, readConditions } from "../environment/conditions.ts";
import { takeStep } from "../environment/steps.ts";
import { askAgain, captured } from "../evidence/evidence.ts";
import { BeforeAll, By, Context, DeferCleanup, Describe, Eventually, It, Sanitize, Skip } from "../harness.ts";
import { LiveProgress } from "../support/live-progress.ts";
import { listClusterObjects, readNodeState } from "../support/leaked-state.ts";
import { askable, type Ground, notAskedBecause } from "../matrix/askable.ts";
import { type Cell, cells, GROUPS } from "../matrix/cells.ts";
import { withCounters } from "../matrix/counters.ts";
import type { Variant } from "../matrix/gate.ts";
import { findForeignAddresses } from "../matrix/pod-networks.ts";
import { expectedRoutes, plainRoutes } from "../matrix/routes.ts";
import { DEFAULT_RUN, runCells } from "../matrix/run.ts";
import { untilServicesAnswer } from "../matrix/services-known.ts";
import { type NodeFilter, readFilters, switchTo } from "../matrix/variant.ts";
import { environmentFor } from "../matrix/environment.ts";
import { expectationIn, verdictFor } from "../matrix/verdict.ts";
import { recordedSnapshots, recordedVariants, recordedVersions } from "../support/run-results.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import { deploy, type Deployment } from "../pods/deploy.ts";
import { NAMESPACE } from "../pods/pods.ts";

const options = runOptions();
const existing = options.provider === "existing";
const live = new LiveProgress(options.variants.length);

Describe("connectivity matrix", { labels: ["matrix"] }, () => {
  let cluster: Cluster;
  let api: ClusterApi;
  let deployment: Deployment;

  /** In an existing cluster only what names an address of the suite's pods: other people's pods come and go meanwhile. */
  const readOwnNodeState = async (): Promise<readonly string[]> => {
    const lines = await readNodeState(cluster);
    if (!existing) return lines;
    const own = listPodAddresses(deployment);
    return lines.filter((line) => line.split(/[\s/]/).some((word) => own.has(word)));
  };

  BeforeAll(
    async () => {
      cluster = await By("the cluster", theCluster);
      Object.assign(recordedVersions, cluster.versions);
      api = clusterApi(cluster);
    },
    { timeout: 0 },
  );
  if (!options.keep) {
    Sanitize("links, rules, routes and neighbours on the nodes", () =>
      cluster.nodeAccess === "none" ? Promise.resolve([]) : readOwnNodeState(),
    );
    Sanitize("cluster objects", () => listClusterObjects(api, existing ? NAMESPACE : undefined));
  }
  BeforeAll(
    async () => {
      if (!options.keep) DeferCleanup(() => removeNamespace(api, NAMESPACE));
      deployment = await By("the pods of the three types", () => deploy(cluster, api));
      DeferCleanup(() => deployment.closeProbers());
      for (const step of options.environment?.spec.beforeCells ?? []) {
        const undo = await By(`environment: ${step.kind}`, () => takeStep(cluster, api, step));
        if (undo !== undefined) DeferCleanup(undo);
      }
      const from = new Set(cellsOf(cluster, deployment).map((cell) => cell.from));
      await By("a prober in every pod", () => Promise.all([...from].map((name) => deployment.prober(name))));
    },
    { timeout: 300_000 },
  );

  It("every pod is ready: its node reaches it", () => {
    const { notReady } = deployment;
    assert.equal(notReady.length, 0, `these run, but their readiness probes fail: ${notReady.join(", ")}`);
  });

  It("each pod's addresses are in the network of its type", () => {
    const { overlayCidr, underlayCidr } = cluster.spec;
    if (overlayCidr === "" && underlayCidr === "") Skip("the cluster's networks are not known");
    assert.deepEqual(findForeignAddresses(deployment.pods.values(), cluster.spec), []);
  });

  It("the pods' `ip route` has the documented lines", async () => {
    if (cluster.datapath === "none")
      Skip("another solution than Interlay wires the pods: its routes are its own affair");
    for (const { pod, family, expected } of expectedRoutes(cluster, deployment)) {
      const routes = plainRoutes(await api.exec(NAMESPACE, pod, ["ip", family === "ipv6" ? "-6" : "-4", "route"]));
      for (const line of expected)
        assert.ok(routes.includes(line), `${pod} has no route "${line}"; it has:\n${routes.join("\n")}`);
    }
  });

  if (existing)
    It("the packets' ways are those of the documents (captures)", () => {
      Skip("captures need the nodes' own file system and processes, which the API server alone does not give");
    });

  for (const variant of options.variants)
    Context(variantTitle(variant), () => {
      variantSpecs(
        variant,
        () => cluster,
        () => deployment,
      );
    });
});

function variantSpecs(variant: Variant, cluster: () => Cluster, deployment: () => Deployment): void {
  let filters: readonly NodeFilter[] = [];
  let results: readonly CellResult[] = [];
  let predictionFailure: string | undefined;

  BeforeAll(
    async () => {
      live.begin(variantTitle(variant));
      if (existing)
        await By("kube-proxy knows the pods' Services", () =>
          untilServicesAnswer(cellsOf(cluster(), deployment()), variant, deployment()),
        );
      else await By("switch the return path and kube-proxy", () => switchTo(cluster(), variant));
      const before = await filtersOf(cluster(), variant);
      const started = performance.now();
      const asked = cellsOf(cluster(), deployment()).filter(({ id }) => options.cells.test(id));
      let predictions: Predictions = new Map();
      if (predicts(cluster()))
        predictions = await By("the doctor's predictions", () =>
          predictCells(cluster(), asked, deployment()).catch((error: unknown) => {
            predictionFailure = error instanceof Error ? error.message : String(error);
            return new Map();
          }),
        );
      const raw = await By(`${asked.length} cells`, () =>
        options.evidence === "all" && !existing
          ? captured({ cluster: cluster(), deployment: deployment(), variant }, asked)
          : runCells(asked, variant, deployment(), {
              ...DEFAULT_RUN,
              onDone: (done, of) => {
                live.cells(done, of);
              },
            }),
      );
      const seconds = (performance.now() - started) / 1000;
      filters = await filtersOf(cluster(), variant);
      const blocked = asked.filter((cell) => {
        const verdict = verdictFor(variant, cell);
        return verdict.expected === "blocked" && verdict.by === "invalid-rule";
      });
      results = withCounters(
        raw,
        new Set(blocked.map(({ id }) => id)),
        (from) => deployment().pods.get(from)?.node,
        before,
        filters,
      );
      if (options.evidence === "failed" && !existing)
        results = await By("evidence of what failed or was blocked", () =>
          askAgain({ cluster: cluster(), deployment: deployment(), variant }, asked, results),
        );
      if (results.some(({ ok }) => !ok) && !existing)
        results = await By("the doctor, for the likely cause", () =>
          withCauses(cluster(), results, asked, (pod) => deployment().pods.get(pod)?.node),
        );
      results = withPredictions(results, predictions);
      recordedVariants.push({
        ...variant,
        ...(filters.length === 0
          ? {}
          : {
              tcpBeLiberal: filters.every((filter) => filter.tcpBeLiberal === 1) ? 1 : 0,
              invalidDropRule: filters.some(({ invalidDrop }) =>
                Object.values(invalidDrop).some((rule) => rule !== undefined),
              ),
            }),
        cells: [...results],
        table: summarizeCells(results),
        seconds,
      });
      if (options.snapshot || results.some(({ ok }) => !ok))
        await By("a snapshot of nodes and pods", async () => {
          const directory = `snapshot/${formatVariantFlags(variant)
            .replaceAll(/--[a-z-]+ /g, "")
            .replaceAll(/[ /]/g, "-")}`;
          for (const [file, text] of await takeSnapshot(cluster(), deployment().pods))
            recordedSnapshots.set(`${directory}/${file}`, text);
        });
      live.end();
    },
    { timeout: 300_000 },
  );

  It("kube-proxy's INVALID rule and the sysctl are as the gate says, on every node", () => {
    if (cluster().nodeAccess === "none") Skip("no pods could be made in the nodes' network, to read rules and sysctls");
    if (cluster().datapath === "none") Skip("another solution than Interlay sets them, each in its own way");
    const { tcpBeLiberal, invalidDropRule, reason } = expectationIn(variant);
    for (const { node, invalidDrop, ...is } of filters)
      for (const [family, rule] of Object.entries(invalidDrop))
        assert.deepEqual(
          { node, family, tcpBeLiberal: is.tcpBeLiberal, invalidDropRule: rule !== undefined },
          { node, family, tcpBeLiberal, invalidDropRule },
          reason,
        );
  });

  if (options.environment !== undefined)
    It("the doctor predicts no cell to pass that does not", () => {
      if (!predicts(cluster())) Skip("another solution than Interlay wires the pods");
      assert.equal(predictionFailure, undefined);
      const wrong = findFalseGreen(results).map(({ id }) => id);
      assert.equal(wrong.length, 0, `${wrong.length} cells, like ${wrong.slice(0, 5).join(", ")}`);
    });

  const { impossible } = environmentFor(variant);
  if (impossible.length > 0)
    It("NodeState says on every node what cannot work in this environment, with the reason", async () => {
      const nodes = cluster().nodes.map(({ name }) => name);
      await Eventually(
        "conditions of NodeState as the environment declares them",
        async () => {
          const conditions = await readConditions(cluster());
          return impossible.flatMap(({ condition }) => checkConditions(condition, nodes, conditions));
        },
        (problems) => problems.length === 0,
      );
    });

  for (const group of GROUPS)
    It(`cells: ${group}`, { labels: [group] }, () => {
      const mine = results.filter((cell) => cell.group === group);
      if (mine.length === 0)
        Skip(
          notAskedBecause(group, groundOf(cluster(), deployment()), everyCell(deployment())) ??
            "no cell of this group was asked for",
        );
      const wrong = mine.filter((cell) => !cell.ok);
      const { provider, datapath } = cluster();
      const source = { provider, versions: recordedVersions, ...(datapath === undefined ? {} : { datapath }) };
      const flags = formatRerunFlags(source, { ...variant, cells: results });
      assert.equal(
        wrong.length,
        0,
        `${wrong.length} of ${mine.length} cells:\n${wrong.map((cell) => cellLine(cell, flags)).join("\n")}`,
      );
    });
}

/** Of runs by environment: each has a doctor's look before its cells. */
const predicts = ({ datapath }: Cluster): boolean => options.environment !== undefined && datapath !== "none";

/** Addresses of the pods of the three types; none before they exist. */
function listPodAddresses(deployment: Deployment | undefined): ReadonlySet<string> {
  // Those in the nodes' network have the nodes' addresses.
  const isOwn = ({ name }: { readonly name: string }) => POD_TYPES.some((type) => name.startsWith(`${type}-`));
  const pods = [...(deployment?.pods.values() ?? [])].filter(isOwn);
  return new Set(pods.flatMap(({ addresses }) => Object.values(addresses).flatMap((one) => Object.values(one))));
}

const groundOf = ({ nodeAccess }: Cluster, { external, features, settingsKnown }: Deployment): Ground => ({
  ...(nodeAccess === undefined ? {} : { nodeAccess }),
  features,
  podTrafficKnown: settingsKnown,
  outside: external !== undefined,
  undecided: options.environment?.undecided,
});

const everyCell = ({ workers, families, features }: Deployment): readonly Cell[] =>
  cells(workers.length, families, features);

function cellsOf(cluster: Cluster, deployment: Deployment): readonly Cell[] {
  return askable(everyCell(deployment), groundOf(cluster, deployment));
}

/** Of every node; none where they cannot be read. */
async function filtersOf(cluster: Cluster, { kubeProxy }: Variant): Promise<readonly NodeFilter[]> {
  return cluster.nodeAccess === "none" ? [] : readFilters(cluster, kubeProxy.mode);
}

/** For people: which cell, what was expected, what happened and where, and the command that asks that cell again. */
function cellLine(cell: CellResult, flags: string): string {
  return [
    `  ${cell.id} (${cell.address}): expected ${cell.expected}, was ${cell.actual}: ${cell.reason ?? ""}`,
    ...(cell.cause === undefined ? [] : [`    likely cause: ${cell.cause}`]),
    `    rerun: ${formatRerunCommand(flags, cell.id)}`,
  ].join("\n");
}
