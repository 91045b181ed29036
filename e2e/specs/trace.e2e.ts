import assert from "node:assert/strict";
import { compileRuleset, listUnsupportedParts } from "../../plugin/trace/netfilter/compile-ruleset.ts";
import type { TraceSnapshot } from "../../plugin/trace/snapshot.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { FaultContext } from "../doctor/doctor-fault.ts";
import { FAULTS } from "../doctor/doctor-faults.ts";
import { HEALTHY } from "../doctor/compare-prediction.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import type { Cell, Group } from "../cells/cell.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Variant } from "../cells/gate.ts";
import { captureCells } from "../evidence/capture-cells.ts";
import { runCells } from "../deployment/run-cells.ts";
import { switchVariant } from "../deployment/variant.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";
import { runOnNode, listAgentProcesses, signalAgent } from "../support/agent-process.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { formatVariantFlags } from "../../results/rerun.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { collectCluster } from "../trace/collect-cluster.ts";
import { type ComparedCell, compareTrace, countJudgements, formatCounts } from "../trace/compare-traces.ts";
import { makeFaultContext } from "../trace/fault-context.ts";
import type { TraceFaultContext } from "../trace/trace-fault.ts";
import { TRACE_FAULTS } from "../trace/trace-faults.ts";
import { toPredictedPath } from "../trace/predicted-path.ts";
import { hasClient, isTraced, traceCells } from "../trace/trace-cells.ts";

/** Share of cells of a variant whose trace may be unknown; a fault may send packets to where no snapshot is. */
const MAX_UNKNOWN = 0.01;
const PROBES = { passTimeoutMs: 1500, blockedTimeoutMs: 1500, parallel: 48, attempts: 2 } as const;
/** Groups that are probed in a fault of the node: the others take the same paths. */
const FAULT_GROUPS: readonly Group[] = ["matrix", "node-to-pod", "pod-to-node", "own-service", "api-server"];

/**
 * Predicts every cell from the kernel's state, then probes it: in each variant of the run, in the doctor's faults, and in faults
 * that no check was written for. The counts are in `trace.json` of the run's results.
 */
export function registerSpecs(run: TestRun): void {
  Describe("trace: predicted paths match the probes", { labels: ["trace"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let deployment: Deployment;
    let traced: readonly Cell[];
    let context: TraceFaultContext;
    const runs: { readonly title: string; readonly cells: readonly ComparedCell[] }[] = [];

    BeforeAll(
      async () => {
        ({ cluster, api, deployment } = await setupDeployment(run));
        traced = listMatrixCells(deployment.workers.length, deployment.families, deployment.features).filter(
          (cell) => isTraced(cell) && run.options.cells.test(cell.id),
        );
        context = makeFaultContext(cluster, api, deployment);
        DeferCleanup(async () => {
          const comparedCells = runs.flatMap((one) => one.cells);
          run.results.snapshots.set("trace.json", JSON.stringify(runs.map(summarizeFault), null, 1));
          await By(`all: ${formatCounts(countJudgements(comparedCells))}`, () => undefined);
        });
      },
      { timeout: 300_000 },
    );

    /** Predicts and probes every cell. @throws an error that lists wrong predictions */
    const compare = async (
      title: string,
      variant: Variant,
      groups?: readonly Group[],
    ): Promise<readonly ComparedCell[]> => {
      const snapshot = await By("collect", () => collectCluster(cluster, api));
      const selected = traced.filter((cell) => (groups?.includes(cell.group) ?? true) && hasClient(snapshot, cell));
      if (groups === undefined) assert.deepEqual(listUnsupported(snapshot), [], "rules that the model does not know");
      const { traces, milliseconds } = traceCells(snapshot, selected, deployment);
      const results = await By(`${selected.length} cells`, () =>
        groups === undefined
          ? captureCells({ cluster, deployment, variant }, selected)
          : runCells(selected, variant, deployment, PROBES),
      );
      const compared = results.flatMap((result) => {
        const trace = traces.get(result.id);
        return trace === undefined ? [] : [compareTrace(trace, result, toPredictedPath(trace, deployment))];
      });
      runs.push({ title, cells: compared });
      const counts = countJudgements(compared);
      const millisecondsPerCell = milliseconds / selected.length;
      await By(`${formatCounts(counts)}; ${millisecondsPerCell.toFixed(2)} ms a cell`, () => undefined);
      const wrongPredictions = compared.filter(
        ({ judgement }) => judgement === "false-green" || judgement === "false-red",
      );
      assert.deepEqual(wrongPredictions.map(describeCell), [], "wrong predictions");
      return compared;
    };

    // HEALTHY is the last one: the faults follow in it.
    for (const variant of [...run.options.variants, HEALTHY])
      It(`predicts every cell: ${formatVariantFlags(variant)}`, { timeout: 300_000 }, async () => {
        await By("switch kube-proxy and return path", () => switchVariant(cluster, variant));
        const compared = await compare(formatVariantFlags(variant), variant);
        const unknown = compared.filter(({ judgement }) => judgement === "unknown");
        assert.ok(unknown.length <= compared.length * MAX_UNKNOWN, `unknown: ${unknown.map(describeCell).join("\n")}`);
        const sources = compared.filter(({ wrongSource }) => wrongSource !== undefined);
        assert.deepEqual(sources.map(describeCell), [], "another source than predicted");
        const paths = compared.flatMap(({ id, wrongPath }) => (wrongPath === undefined ? [] : [`${id}: ${wrongPath}`]));
        assert.deepEqual(paths, [], "other hops than predicted");
      });

    /** Waits for the agent of a worker: the kubelet replaces one that a fault has stopped for longer than its liveness probe allows. */
    const waitForAgent = (node: string): Promise<readonly string[]> =>
      Eventually(
        `the agent of ${node} runs`,
        () => listAgentProcesses(cluster, node),
        (processes) => processes.length === 1,
        { timeout: 90_000 },
      );
    /** Stops the agent, which would repair what belongs to its pods. */
    const pauseAgent = async (node: string): Promise<void> => {
      await waitForAgent(node);
      await signalAgent(cluster, node, "STOP");
    };
    const resumeAgent = async (node: string): Promise<void> => {
      await waitForAgent(node);
      await signalAgent(cluster, node, "CONT");
    };

    for (const fault of TRACE_FAULTS)
      It(`a fault that no check knows: ${fault.title}`, { timeout: 240_000 }, async () => {
        const [node = ""] = deployment.workers;
        DeferCleanup(() => resumeAgent(node));
        await pauseAgent(node);
        DeferCleanup(() => fault.undo(context));
        await By("make the fault", () => fault.make(context));
        const compared = await compare(fault.title, HEALTHY, FAULT_GROUPS);
        const failed = compared.filter(({ arrived }) => !arrived).length;
        if (fault.harmless) assert.equal(failed, 0, "the fault should make no cell fail");
        else assert.ok(failed > 0, "the fault makes no cell fail, so it tests nothing");
      });

    for (const fault of FAULTS.filter(({ severity, pod }) => severity === undefined && pod === undefined))
      It(`the doctor's fault: ${fault.title}`, { timeout: 240_000 }, async () => {
        if (fault.labOnly && cluster.provider !== "lab") Skip("the external host of this provider is not privileged");
        const [node = ""] = deployment.workers;
        await By("switch kube-proxy and return path", () => switchVariant(cluster, HEALTHY));
        const faultContext: FaultContext = {
          cluster,
          api,
          execOnNode: (argv) => runOnNode(cluster, node, argv),
          getAddress: context.getAddress,
          pauseAgent: () => pauseAgent(node),
          resumeAgent: () => resumeAgent(node),
        };
        DeferCleanup(() => fault.undo(faultContext));
        await By("make the fault", () => fault.make(faultContext));
        const compared = await compare(fault.title, HEALTHY, FAULT_GROUPS);
        assert.ok(
          compared.some(({ arrived }) => !arrived),
          "the fault makes no cell fail, so it tests nothing",
        );
      });
  });
}

/** Lists the parts of rules that the model does not know, in every namespace. */
function listUnsupported({ namespaces }: TraceSnapshot): readonly string[] {
  return namespaces.flatMap((namespace) =>
    listUnsupportedParts(compileRuleset(namespace)).map(({ text, part }) => `${namespace.name}: ${part} in ${text}`),
  );
}

function describeCell({ id, predicted, arrived, reason, wrongSource }: ComparedCell): string {
  const source =
    wrongSource === undefined ? "" : `; source ${wrongSource.predicted} predicted, ${wrongSource.seen} seen`;
  return `${id}: predicted ${predicted}, ${arrived ? "arrived" : "did not arrive"}${source}${reason === "" ? "" : ` (${reason})`}`;
}

function summarizeFault({
  title,
  cells: compared,
}: {
  readonly title: string;
  readonly cells: readonly ComparedCell[];
}) {
  return {
    title,
    counts: countJudgements(compared),
    notRight: compared.filter(
      ({ judgement, wrongSource, wrongPath }) =>
        judgement !== "right" || wrongSource !== undefined || wrongPath !== undefined,
    ),
  };
}

registerIfMain(import.meta.url, registerSpecs);
