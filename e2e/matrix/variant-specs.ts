import assert from "node:assert/strict";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import type { CellResult } from "../../results/schema.ts";
import { formatRerunCommand, formatRerunFlags, formatVariantFlags } from "../../results/rerun.ts";
import { variantTitle } from "../../results/title.ts";
import { findWrongPredictions, predictCells, type Predictions } from "../doctor/predictions.ts";
import { checkConditions, readNodeConditions } from "../environment/conditions.ts";
import { AfterAll, BeforeAll, By, Eventually, It, Skip } from "../harness.ts";
import { REQUIRED_CHECKS } from "./required-checks.ts";
import { explainUnsupportedGroup } from "../cells/supported-cells.ts";
import { GROUPS } from "../cells/cell.ts";
import { getEnvironment } from "../cells/get-environment.ts";
import type { Variant } from "../cells/gate.ts";
import { type ProbedVariant, probeVariant, toVariantResult } from "./probe-variant.ts";
import { waitForServices } from "./services-known.ts";
import { switchVariant } from "../deployment/variant.ts";
import { findExpectation } from "../cells/cell-verdict.ts";
import { takeSnapshot } from "../snapshot/take-snapshot.ts";
import type { LiveProgress } from "../support/live-progress.ts";
import type { TestRun } from "../support/test-run.ts";
import {
  describeCapabilities,
  listCells,
  listEveryCell,
  listSelectedCells,
  type MatrixTarget,
} from "./select-cells.ts";

const PROBE_TIMEOUT_MS = 300_000;

/** Registers the specs of one variant of the matrix. */
export function registerVariantSpecs(
  run: TestRun,
  variant: Variant,
  progress: LiveProgress,
  getTarget: () => MatrixTarget,
): void {
  const { options } = run;
  let predictions: Predictions = new Map();
  let predictionFailure: string | undefined;
  let probing: Promise<ProbedVariant> | undefined;

  BeforeAll(
    async () => {
      const { cluster, deployment } = getTarget();
      progress.startVariant(variantTitle(variant));
      if (hasCapability(cluster.provider, "switch-kube-proxy"))
        await By("switch the return path and kube-proxy", () => switchVariant(cluster, variant));
      else
        await By("kube-proxy knows the pods' Services", () =>
          waitForServices(listCells(run, getTarget()), variant, deployment),
        );
      if (isPredicted(cluster))
        predictions = await By("predictions of the trace", () =>
          predictCells(cluster, listSelectedCells(run, getTarget()), deployment).catch((error: unknown) => {
            predictionFailure = getErrorMessage(error);
            return new Map();
          }),
        );
    },
    { timeout: PROBE_TIMEOUT_MS },
  );
  AfterAll(() => {
    progress.endVariant();
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
      onDone: (done, total) => {
        progress.showCells(done, total);
      },
    });
    run.results.variants.push(toVariantResult(variant, probed));
    if (options.snapshot || probed.results.some(({ ok }) => !ok))
      await By("a snapshot of nodes and pods", () => recordSnapshot(run, variant, getTarget()));
    return probed;
  };
  /** Returns the results of the cells; the first spec that needs them probes all cells. */
  const probeOnce = (): Promise<ProbedVariant> => (probing ??= probe());

  It("every selected cell is probed", { timeout: PROBE_TIMEOUT_MS }, async () => {
    const { results } = await probeOnce();
    assert.ok(results.length > 0, "no cell is selected");
  });

  It(REQUIRED_CHECKS.nodeFilters, { timeout: PROBE_TIMEOUT_MS }, async () => {
    const { cluster } = getTarget();
    if (cluster.nodeAccess === "none") Skip("rules and sysctls cannot be read without pods in the nodes' network");
    if (cluster.datapath === "none") Skip("another solution than Interlay sets them, each in its own way");
    const { tcpBeLiberal, invalidDropRule, reason } = findExpectation(variant);
    for (const { node, invalidDrop, ...filter } of (await probeOnce()).filters)
      for (const [family, rule] of Object.entries(invalidDrop))
        assert.deepEqual(
          { node, family, tcpBeLiberal: filter.tcpBeLiberal, invalidDropRule: rule !== undefined },
          { node, family, tcpBeLiberal, invalidDropRule },
          reason,
        );
  });

  It("the trace predicts which cells pass and which fail", { timeout: PROBE_TIMEOUT_MS }, async () => {
    if (!isPredicted(getTarget().cluster)) Skip("the state of the nodes' kernels cannot be read");
    assert.equal(predictionFailure, undefined);
    const { falseGreen, falseRed } = findWrongPredictions((await probeOnce()).results);
    const wrongPredictions = [
      ...falseGreen.map(({ id }) => `${id}: predicted to pass, but failed`),
      ...falseRed.map(({ id }) => `${id}: predicted to fail, but passed`),
    ];
    assert.equal(
      wrongPredictions.length,
      0,
      `${wrongPredictions.length} cells, like\n${wrongPredictions.slice(0, 5).join("\n")}`,
    );
  });

  const { impossible = [] } = getEnvironment(variant);
  if (impossible.length > 0)
    It("NodeState reports on every node what cannot work in this environment, with the reason", async () => {
      const { cluster } = getTarget();
      const nodes = cluster.nodes.map(({ name }) => name);
      await Eventually(
        "conditions of NodeState as the environment declares them",
        async () => {
          const conditions = await readNodeConditions(cluster);
          return impossible.flatMap(({ condition }) => checkConditions(condition, nodes, conditions));
        },
        (problems) => problems.length === 0,
      );
    });

  for (const group of GROUPS)
    It(`cells: ${group}`, { labels: [group], timeout: PROBE_TIMEOUT_MS }, async () => {
      const { results } = await probeOnce();
      const { cluster, deployment } = getTarget();
      const groupResults = results.filter((cell) => cell.group === group);
      if (groupResults.length === 0)
        Skip(
          explainUnsupportedGroup(group, describeCapabilities(run, getTarget()), listEveryCell(deployment)) ??
            "no cell of this group is selected",
        );
      const failures = groupResults.filter((cell) => !cell.ok);
      const { provider, datapath } = cluster;
      const source = {
        provider,
        versions: run.results.versions,
        options: [...run.options.rerun],
        ...(datapath === undefined ? {} : { datapath }),
      };
      const flags = formatRerunFlags(source, { ...variant, cells: [...results] });
      assert.equal(
        failures.length,
        0,
        `${failures.length} of ${groupResults.length} cells:\n${failures.map((cell) => describeWrongCell(cell, flags)).join("\n")}`,
      );
    });
}

async function recordSnapshot(run: TestRun, variant: Variant, { cluster, deployment }: MatrixTarget): Promise<void> {
  const name = formatVariantFlags(variant)
    .replaceAll(/--[a-z-]+ /g, "")
    .replaceAll(/[ /]/g, "-");
  for (const [file, text] of await takeSnapshot(cluster, deployment.pods))
    run.results.snapshots.set(`snapshot/${name}/${file}`, text);
}

/** Whether a trace predicts the cells, which needs Interlay's executable and access to the nodes. */
const isPredicted = ({ provider, datapath }: Cluster): boolean =>
  hasCapability(provider, "node-files") && datapath !== "none";

/** Returns the lines for a wrong cell: what was expected, what happened and where, and the command that repeats it. */
function describeWrongCell(cell: CellResult, flags: string): string {
  return [
    `  ${cell.id} (${cell.address}): expected ${cell.expected}, was ${cell.actual}: ${cell.reason ?? ""}`,
    ...(cell.cause === undefined ? [] : [`    likely cause: ${cell.cause}`]),
    `    rerun: ${formatRerunCommand(flags, cell.id)}`,
  ].join("\n");
}
