import type { ActionResult } from "../chaos/action.ts";
import { ACTIONS } from "../chaos/actions.ts";
import { ProbeFlows } from "../chaos/flows.ts";
import { checkInvariants } from "../chaos/invariants.ts";
import { writeChaosReport } from "../chaos/chaos-report.ts";
import { listFlowPaths } from "../chaos/flow-paths.ts";
import { deletePod, createLostState, type ChaosContext } from "../chaos/chaos-context.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Cell } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { switchVariant } from "../deployment/variant.ts";
import { pickRandom, createRandom } from "../support/random.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";

/** Both return paths pass with this kube-proxy, so that a switch between them breaks nothing. */
const VARIANT: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };

/** Number of cells probed after each action: addresses, Services and NodePorts by TCP, UDP and ICMP. */
const CELL_COUNT = 30;
/** Time until cells answer: a killed kube-proxy checks its rules before it follows the pods again. */
const ANSWERS_MS = 60_000;

/** Probes random cells, the same ones for the same seed, without the random numbers of the actions. */
async function probeRandomCells(context: ChaosContext, seed: number): Promise<void> {
  const { workers, families } = context.deployment;
  const cells = listMatrixCells(workers.length, families);
  const random = createRandom(seed);
  await assertAnswers(
    context,
    Array.from({ length: CELL_COUNT }, () => pickRandom(cells, random)),
  );
}

/** Asserts that cells answer. Cells that do not are probed again, because a busy computer is late. */
async function assertAnswers({ deployment }: ChaosContext, selectedCells: readonly Cell[]): Promise<void> {
  let waiting = selectedCells;
  await Eventually(
    `${selectedCells.length} cells answer`,
    async () => {
      const results = await runCells(waiting, VARIANT, deployment, DEFAULT_RUN);
      waiting = waiting.filter((_, index) => results[index]?.ok !== true);
      return waiting.map(({ id }) => id);
    },
    (failed) => failed.length === 0,
    { timeout: ANSWERS_MS, interval: 500 },
  );
}

/**
 * Runs random actions, chosen by a seed, while long-lived flows run and pods are created and deleted. After each action the
 * invariants must hold (chaos/invariants.ts) and every flow must be answered; at the end every cell must pass.
 */
export function registerSpecs(run: TestRun): void {
  const { seed, minutes, only, report } = run.options.chaos;
  Describe(`chaos: seed ${seed}, ${minutes} minutes`, { labels: ["chaos"] }, () => {
    let context: ChaosContext;
    let flows: ProbeFlows;
    const actions: ActionResult[] = [];
    const describeActions = () => actions.map(({ name, what }) => `${name}: ${what}`).join("; ");

    BeforeAll(
      async () => {
        const { cluster, api, deployment } = await setupDeployment(run, ["procps"]);
        const workers = deployment.workers;
        context = {
          cluster,
          api,
          deployment,
          workers,
          random: createRandom(seed),
          testPods: new Map(),
          lost: createLostState(),
        };
        await By("kube-proxy v1.29.15, notrack", () => switchVariant(cluster, VARIANT));
        flows = await By("long-lived flows", () =>
          ProbeFlows.start(api, listFlowPaths(deployment), (pod) => deployment.pods.get(pod)?.node ?? ""),
        );
        DeferCleanup(() => flows.stop());
      },
      { timeout: 300_000 },
    );

    It("the invariants hold after every action, and flows survive", { timeout: (minutes + 8) * 60_000 }, async () => {
      await By("before the first action", async () => {
        await checkInvariants(context);
        await flows.waitUntilAnswered(context.lost);
      });
      const possible = ACTIONS.filter(({ name, fits }) => (only?.test(name) ?? true) && (fits?.(context) ?? true));
      for (const until = Date.now() + minutes * 60_000; Date.now() < until;) {
        const { name, act } = pickRandom(possible, context.random);
        const started = Date.now();
        const number = actions.length + 1;
        flows.recordAction(`${number}. ${name}`);
        const what = await By(`${number}. ${name}`, () => act(context));
        await By(`the invariants after ${name} (seed ${seed}, action ${number})`, () => checkInvariants(context));
        await By(`every flow after ${name} (seed ${seed}, action ${number}): ${what}`, () =>
          flows.waitUntilAnswered(context.lost),
        );
        context.lost = createLostState();
        await By(`random cells after ${name} (seed ${seed}, action ${number})`, () =>
          probeRandomCells(context, seed + number),
        );
        const wellAfterMs = Date.now() - started;
        actions.push({ name, what, wellAfterMs });
        process.stdout.write(`      · ${number}. ${name}: ${what}: recovered after ${wellAfterMs} ms\n`);
      }
    });

    It("every cell passes after chaos", { timeout: 300_000 }, async () => {
      flows.recordAction("every cell is probed");
      await switchVariant(context.cluster, VARIANT);
      const cells = listMatrixCells(context.deployment.workers.length, context.deployment.families);
      await By(`seed ${seed}, after: ${describeActions()}`, () => assertAnswers(context, cells));
      await flows.waitUntilAnswered(context.lost);
    });

    It("deleted pods leave no state", { timeout: 300_000 }, async () => {
      await Promise.all([...context.testPods.values()].map((testPod) => deletePod(context, testPod)));
      await checkInvariants(context);
      await writeChaosReport(
        { seed, minutes, only: only?.source, cluster: context.cluster, actionResults: actions, flows: flows.flows },
        report,
      );
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
