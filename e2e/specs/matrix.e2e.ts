import assert from "node:assert/strict";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { type CellResult, POD_TYPES } from "../../results/schema.ts";
import { formatRerunCommand, formatRerunFlags, formatVariantFlags } from "../../results/rerun.ts";
import { variantTitle } from "../../results/title.ts";
import { findFalseGreen, predictCells, type Predictions } from "../doctor/predictions.ts";
import { checkConditions, readConditions } from "../environment/conditions.ts";
import { takeStep } from "../environment/steps.ts";
import {
  AfterAll,
  BeforeAll,
  By,
  Context,
  DeferCleanup,
  Describe,
  Eventually,
  It,
  Sanitize,
  Skip,
} from "../harness.ts";
import { REQUIRED_CHECKS } from "../matrix/required-checks.ts";
import { listSupportedCells, type ClusterCapabilities, explainUnsupportedGroup } from "../cells/supported-cells.ts";
import { cells } from "../cells/cells.ts";
import { type Cell, GROUPS } from "../cells/cell.ts";
import { environmentFor } from "../cells/environment.ts";
import type { Variant } from "../cells/gate.ts";
import { findForeignAddresses } from "../matrix/pod-networks.ts";
import { type ProbedVariant, probeVariant, toVariantResult } from "../matrix/probe-variant.ts";
import { expectedRoutes, plainRoutes } from "../matrix/routes.ts";
import { waitForServices } from "../matrix/services-known.ts";
import { switchVariant } from "../deployment/variant.ts";
import { findExpectation } from "../cells/verdict.ts";
import { deploy, type Deployment } from "../deployment/deploy.ts";
import { NAMESPACE } from "../pods/pods.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import { type ClusterApi, clusterApi, removeNamespace } from "../support/cluster-api.ts";
import { readComponents } from "../support/components.ts";
import { readSuiteVersion } from "../support/suite-version.ts";
import { listClusterObjects, readNodeState } from "../support/leaked-state.ts";
import { LiveProgress } from "../support/live-progress.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const PROBE_TIMEOUT_MS = 300_000;

/** Cluster and pods of the running group, once its BeforeAll has run. */
interface Target {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
}

export function registerSpecs(run: TestRun): void {
  const { options } = run;
  const isExclusive = hasCapability(options.provider, "exclusive");
  const progress = new LiveProgress(options.variants.length);

  Describe("connectivity matrix", { labels: ["matrix"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let deployment: Deployment;
    let namespace: string;

    /** Where others use the cluster, only lines with an address of the suite's pods: other pods come and go. */
    const readOwnNodeState = async (): Promise<readonly string[]> => {
      const lines = await readNodeState(cluster);
      if (isExclusive) return lines;
      const own = listPodAddresses(deployment);
      return lines.filter((line) => line.split(/[\s/]/).some((word) => own.has(word)));
    };

    BeforeAll(
      async () => {
        cluster = await By("the cluster", run.cluster);
        namespace = cluster.namespace ?? NAMESPACE;
        api = clusterApi(cluster);
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
        deployment = await By("the pods of the three types", () => deploy(cluster, api));
        DeferCleanup(() => deployment.closeProbers());
        for (const step of options.environment?.spec.beforeCells ?? []) {
          const undo = await By(`environment: ${step.kind}`, () => takeStep(cluster, api, step));
          if (undo !== undefined) DeferCleanup(undo);
        }
        const from = new Set(listCells(run, { cluster, deployment }).map((cell) => cell.from));
        await By("a prober in every pod", () => Promise.all([...from].map((name) => deployment.getProber(name))));
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
      for (const { pod, family, expected } of expectedRoutes(cluster, deployment)) {
        const routes = plainRoutes(await api.exec(namespace, pod, ["ip", family === "ipv6" ? "-6" : "-4", "route"]));
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

function registerVariantSpecs(run: TestRun, variant: Variant, progress: LiveProgress, getTarget: () => Target): void {
  const { options } = run;
  let predictions: Predictions = new Map();
  let predictionFailure: string | undefined;
  let probing: Promise<ProbedVariant> | undefined;

  BeforeAll(
    async () => {
      const { cluster, deployment } = getTarget();
      progress.begin(variantTitle(variant));
      if (hasCapability(cluster.provider, "switch-kube-proxy"))
        await By("switch the return path and kube-proxy", () => switchVariant(cluster, variant));
      else
        await By("kube-proxy knows the pods' Services", () =>
          waitForServices(listCells(run, getTarget()), variant, deployment),
        );
      if (isPredicted(run, cluster))
        predictions = await By("the doctor's predictions", () =>
          predictCells(cluster, listSelectedCells(run, getTarget()), deployment).catch((error: unknown) => {
            predictionFailure = getErrorMessage(error);
            return new Map();
          }),
        );
    },
    { timeout: PROBE_TIMEOUT_MS },
  );
  AfterAll(() => {
    progress.end();
  });

  const probe = async (): Promise<ProbedVariant> => {
    const { cluster, deployment } = getTarget();
    const probed = await probeVariant({
      cluster,
      deployment,
      variant,
      cells: listSelectedCells(run, getTarget()),
      options,
      predictions,
      onDone: (done, of) => {
        progress.cells(done, of);
      },
    });
    run.results.variants.push(toVariantResult(variant, probed));
    if (options.snapshot || probed.results.some(({ ok }) => !ok))
      await By("a snapshot of nodes and pods", () => recordSnapshot(run, variant, getTarget()));
    return probed;
  };
  /** Returns the results of the cells: the first spec that needs them probes all, many at once. */
  const getProbed = (): Promise<ProbedVariant> => (probing ??= probe());

  It("every selected cell is probed", { timeout: PROBE_TIMEOUT_MS }, async () => {
    const { results } = await getProbed();
    assert.ok(results.length > 0, "no cell is selected");
  });

  It(REQUIRED_CHECKS.nodeFilters, { timeout: PROBE_TIMEOUT_MS }, async () => {
    const { cluster } = getTarget();
    if (cluster.nodeAccess === "none") Skip("rules and sysctls cannot be read without pods in the nodes' network");
    if (cluster.datapath === "none") Skip("another solution than Interlay sets them, each in its own way");
    const { tcpBeLiberal, invalidDropRule, reason } = findExpectation(variant);
    for (const { node, invalidDrop, ...is } of (await getProbed()).filters)
      for (const [family, rule] of Object.entries(invalidDrop))
        assert.deepEqual(
          { node, family, tcpBeLiberal: is.tcpBeLiberal, invalidDropRule: rule !== undefined },
          { node, family, tcpBeLiberal, invalidDropRule },
          reason,
        );
  });

  if (options.environment !== undefined)
    It("the doctor predicts no pass for a cell that fails", { timeout: PROBE_TIMEOUT_MS }, async () => {
      if (!isPredicted(run, getTarget().cluster)) Skip("another solution than Interlay connects the pods");
      assert.equal(predictionFailure, undefined);
      const wrong = findFalseGreen((await getProbed()).results).map(({ id }) => id);
      assert.equal(wrong.length, 0, `${wrong.length} cells, like ${wrong.slice(0, 5).join(", ")}`);
    });

  const { impossible } = environmentFor(variant);
  if (impossible.length > 0)
    It("NodeState reports on every node what cannot work in this environment, with the reason", async () => {
      const { cluster } = getTarget();
      const nodes = cluster.nodes.map(({ name }) => name);
      await Eventually(
        "conditions of NodeState as the environment declares them",
        async () => {
          const conditions = await readConditions(cluster);
          return impossible.flatMap(({ condition }) => checkConditions(condition, nodes, conditions));
        },
        (problems) => problems.length === 0,
      );
    });

  for (const group of GROUPS)
    It(`cells: ${group}`, { labels: [group], timeout: PROBE_TIMEOUT_MS }, async () => {
      const { results } = await getProbed();
      const { cluster, deployment } = getTarget();
      const own = results.filter((cell) => cell.group === group);
      if (own.length === 0)
        Skip(
          explainUnsupportedGroup(group, describeCapabilities(run, getTarget()), listEveryCell(deployment)) ??
            "no cell of this group is selected",
        );
      const wrong = own.filter((cell) => !cell.ok);
      const { provider, datapath } = cluster;
      const source = { provider, versions: run.results.versions, ...(datapath === undefined ? {} : { datapath }) };
      const flags = formatRerunFlags(source, { ...variant, cells: [...results] });
      assert.equal(
        wrong.length,
        0,
        `${wrong.length} of ${own.length} cells:\n${wrong.map((cell) => describeWrongCell(cell, flags)).join("\n")}`,
      );
    });
}

async function recordSnapshot(run: TestRun, variant: Variant, { cluster, deployment }: Target): Promise<void> {
  const name = formatVariantFlags(variant)
    .replaceAll(/--[a-z-]+ /g, "")
    .replaceAll(/[ /]/g, "-");
  for (const [file, text] of await takeSnapshot(cluster, deployment.pods))
    run.results.snapshots.set(`snapshot/${name}/${file}`, text);
}

/** Whether the doctor predicts the cells: in runs by environment, of Interlay's datapath. */
const isPredicted = ({ options }: TestRun, { datapath }: Cluster): boolean =>
  options.environment !== undefined && datapath !== "none";

/** Addresses of the pods of the three types; none before they exist. */
function listPodAddresses(deployment: Deployment | undefined): ReadonlySet<string> {
  // Pods in the nodes' network have the nodes' addresses.
  const isOwn = ({ name }: { readonly name: string }) => POD_TYPES.some((type) => name.startsWith(`${type}-`));
  const pods = [...(deployment?.pods.values() ?? [])].filter(isOwn);
  return new Set(pods.flatMap(({ addresses }) => Object.values(addresses).flatMap((one) => Object.values(one))));
}

function describeCapabilities({ options }: TestRun, { cluster, deployment }: Target): ClusterCapabilities {
  const { nodeAccess } = cluster;
  return {
    ...(nodeAccess === undefined ? {} : { nodeAccess }),
    features: deployment.features,
    podTrafficKnown: deployment.settingsKnown,
    outside: deployment.external !== undefined,
    undecided: options.environment?.undecided,
  };
}

function listEveryCell({ workers, families, features }: Deployment): readonly Cell[] {
  return cells(workers.length, families, features);
}

/** Returns the cells that can be probed in the cluster. */
function listCells(run: TestRun, target: Target): readonly Cell[] {
  return listSupportedCells(listEveryCell(target.deployment), describeCapabilities(run, target));
}

/** Returns the cells that --cells selects. */
function listSelectedCells(run: TestRun, target: Target): readonly Cell[] {
  return listCells(run, target).filter(({ id }) => run.options.cells.test(id));
}

/** Returns the lines for a wrong cell: what was expected, what happened and where, and the command that repeats it. */
function describeWrongCell(cell: CellResult, flags: string): string {
  return [
    `  ${cell.id} (${cell.address}): expected ${cell.expected}, was ${cell.actual}: ${cell.reason ?? ""}`,
    ...(cell.cause === undefined ? [] : [`    likely cause: ${cell.cause}`]),
    `    rerun: ${formatRerunCommand(flags, cell.id)}`,
  ].join("\n");
}

registerIfMain(import.meta.url, registerSpecs);
