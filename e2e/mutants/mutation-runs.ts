import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode, signalAgent } from "../support/agent-process.ts";
import { Eventually } from "../harness.ts";
import type { Cell } from "../cells/cell.ts";
import { decideKubeProxyVerdict, type Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { CellResult } from "../../results/schema.ts";
import { confirmPredictions, predictAgain } from "../doctor/confirm-predictions.ts";
import { findWrongPredictions, predictCells, withPredictions } from "../doctor/predictions.ts";
import type { MutantResults, MutantKind } from "./mutant-results.ts";

const RUN = { ...DEFAULT_RUN, passTimeoutMs: 1500, attempts: 1 };
/** Run options for a repetition, with a timeout so long that load causes no failures. */
const RETRY_RUN = { ...RUN, passTimeoutMs: 4000 };

/** A cell that failed at every attempt, with the last reason. */
export interface FailedCell {
  readonly cell: Cell;
  readonly reason: string;
}

interface MutationRun {
  readonly kind: MutantKind;
  readonly title: string;
  readonly reason: string;
  /** Returns the commands for the node when they are needed: handles change. */
  readonly argvs: () => Promise<readonly (readonly string[])[]>;
  /** Whether the agent has repaired it. */
  readonly isRepaired: () => Promise<boolean>;
  readonly mayFail: (cell: Cell) => boolean;
  readonly allowedBecause?: string | undefined;
}

/** Applies mutants on one node and probes every cell. */
export class MutationRuns {
  readonly #cluster: Cluster;
  readonly #node: string;
  readonly #deployment: () => Deployment;
  readonly #cells: readonly Cell[];
  readonly #results: MutantResults;

  constructor(
    cluster: Cluster,
    node: string,
    deployment: () => Deployment,
    cells: readonly Cell[],
    results: MutantResults,
  ) {
    this.#cluster = cluster;
    this.#node = node;
    this.#deployment = deployment;
    this.#cells = cells;
    this.#results = results;
  }

  /**
   * Predicts the result of every cell by a trace, probes it, and probes again those that fail.
   * @param mayFail cells that may fail; the others are probed a third time, because a busy machine can lose a packet twice
   * @throws an error if a prediction is wrong
   */
  async listFailedCells(
    variant: Variant,
    mayFail: (cell: Cell) => boolean = () => false,
  ): Promise<readonly FailedCell[]> {
    const predictions = await predictCells(this.#cluster, this.#cells, this.#deployment());
    const lastResults = new Map<string, CellResult>();
    const probe = async (cells: readonly Cell[], run = RUN): Promise<readonly FailedCell[]> => {
      if (cells.length === 0) return [];
      const results = await runCells(cells, variant, this.#deployment(), run);
      for (const result of results) lastResults.set(result.id, result);
      return cells.flatMap((cell, index) => {
        const result = results[index];
        return result?.ok === true ? [] : [{ cell, reason: result?.reason ?? "no result" }];
      });
    };
    const failedTwice = await probe(
      (await probe(this.#cells)).map(({ cell }) => cell),
      RETRY_RUN,
    );
    const unexpected = failedTwice.flatMap(({ cell }) => (mayFail(cell) ? [] : [cell]));
    const failedThrice = new Map((await probe(unexpected, RETRY_RUN)).map((failed) => [failed.cell, failed]));
    const predictedCells = { cluster: this.#cluster, deployment: this.#deployment(), variant, cells: this.#cells };
    this.#comparePredictions(
      await confirmPredictions(withPredictions([...lastResults.values()], predictions), (ids) =>
        predictAgain(predictedCells, ids, RETRY_RUN),
      ),
    );
    return failedTwice.flatMap((failed) => (mayFail(failed.cell) ? [failed] : (failedThrice.get(failed.cell) ?? [])));
  }

  /** Counts the predictions. @throws an error if one is wrong */
  #comparePredictions(results: readonly CellResult[]): void {
    this.#results.addPredictions(results);
    const { falseGreen, falseRed } = findWrongPredictions(results);
    const describe = ({ id, predicted, reason }: CellResult) =>
      `${id}: predicted ${predicted}; ${reason ?? "answered"}`;
    assert.deepEqual([...falseGreen, ...falseRed].map(describe), [], "wrong predictions");
  }

  /** Returns the ids of the cells from the tested node that the gate blocks in the variant. */
  listBlockedCells(variant: Variant): readonly string[] {
    return this.#cells
      .filter((cell) => cell.sourceNode === 0 && decideKubeProxyVerdict(variant, cell).expected === "blocked")
      .map(({ id }) => id);
  }

  /**
   * Applies a mutant while the agent is stopped, and lets the agent repair it.
   * @returns the ids of the cells that detected it
   */
  async run(
    { title, argvs, isRepaired, mayFail, ...about }: MutationRun,
    variant: Variant,
  ): Promise<readonly string[]> {
    await signalAgent(this.#cluster, this.#node, "STOP");
    let failed: readonly FailedCell[];
    try {
      for (const argv of await argvs()) await runOnNode(this.#cluster, this.#node, argv);
      failed = await this.listFailedCells(variant, mayFail);
    } finally {
      await signalAgent(this.#cluster, this.#node, "CONT");
    }
    await Eventually(`${title} is repaired`, isRepaired, (repaired) => repaired, { timeout: 60_000, interval: 100 });
    return this.recordResult({ title, mayFail, ...about }, failed);
  }

  /** Records the result. @throws an error if unrelated cells failed */
  recordResult(
    { kind, title, reason, allowedBecause, mayFail }: Omit<MutationRun, "argvs" | "isRepaired">,
    failed: readonly FailedCell[],
  ): readonly string[] {
    const seen = failed.map(({ cell }) => cell.id);
    this.#results.add({
      kind,
      mutant: title,
      reason,
      seen,
      ...(allowedBecause === undefined ? {} : { allowedBecause }),
    });
    assert.deepEqual(
      describeFailed(failed.filter(({ cell }) => !mayFail(cell))),
      [],
      `${title}: these failed cells are unrelated`,
    );
    return seen;
  }
}

/** Lists failed cells for a message, each with its reason. */
export function describeFailed(failed: readonly FailedCell[]): readonly string[] {
  return failed.map(({ cell, reason }) => `${cell.id}: ${reason}`);
}
