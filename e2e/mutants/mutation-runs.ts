import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider.ts";
import { must, signalAgent } from "../agent-process.ts";
import { Eventually } from "../harness.ts";
import type { Cell } from "../matrix/cells.ts";
import { gate, type Variant } from "../matrix/gate.ts";
import { DEFAULT_RUN, runCells } from "../matrix/run.ts";
import type { Deployment } from "../pods/deploy.ts";
import type { MutantResults, MutantKind } from "./mutant-results.ts";

const RUN = { ...DEFAULT_RUN, passTimeoutMs: 1500, attempts: 1 };
/** Few, and with time: what fails now is not merely slow. */
const AGAIN = { ...RUN, passTimeoutMs: 4000 };

export interface MutationRun {
  readonly kind: MutantKind;
  readonly title: string;
  readonly reason: string;
  /** What to run on the node, found out when it is to be run: handles are others each time. */
  readonly argvs: () => Promise<readonly (readonly string[])[]>;
  /** Whether the agent has put it right again. */
  readonly whole: () => Promise<boolean>;
  readonly mayFail: (cell: Cell) => boolean;
  readonly excuse?: string | undefined;
}

/** Takes things out on one node and asks every cell. */
export class MutationRuns {
  readonly #cluster: Cluster;
  readonly #node: string;
  readonly #deployment: () => Deployment;
  readonly #asked: readonly Cell[];
  readonly #fates: MutantResults;

  constructor(
    cluster: Cluster,
    node: string,
    deployment: () => Deployment,
    asked: readonly Cell[],
    fates: MutantResults,
  ) {
    this.#cluster = cluster;
    this.#node = node;
    this.#deployment = deployment;
    this.#asked = asked;
    this.#fates = fates;
  }

  /** Cells that fail, and fail again: a busy machine's lost packet accuses nobody. */
  async red(variant: Variant): Promise<readonly Cell[]> {
    const failing = async (list: readonly Cell[], run = RUN): Promise<readonly Cell[]> => {
      const results = await runCells(list, variant, this.#deployment(), run);
      return list.filter((_, index) => results[index]?.ok !== true);
    };
    const first = await failing(this.#asked);
    return first.length === 0 ? [] : failing(first, AGAIN);
  }

  /** Ids of the cells that the gate blocks in that variant, of those that leave by the node on trial. */
  blockedIn(variant: Variant): readonly string[] {
    return this.#asked
      .filter((cell) => cell.sourceNode === 0 && gate(variant, cell).expected === "blocked")
      .map(({ id }) => id);
  }

  /** Made while the agent is held, looked at, and put right by the agent. Returns ids of the cells that saw it. */
  async run({ title, argvs, whole, mayFail, ...about }: MutationRun, variant: Variant): Promise<readonly string[]> {
    await signalAgent(this.#cluster, this.#node, "STOP");
    let failed: readonly Cell[];
    try {
      for (const argv of await argvs()) await must(this.#cluster, this.#node, argv);
      failed = await this.red(variant);
    } finally {
      await signalAgent(this.#cluster, this.#node, "CONT");
    }
    await Eventually(`${title} is put back`, whole, (is) => is, { timeout: 60_000, interval: 100 });
    return this.judge({ title, mayFail, ...about }, failed);
  }

  /** Keeps the fate; throws when cells failed that have nothing to do with it. */
  judge(
    { kind, title, reason, excuse, mayFail }: Omit<MutationRun, "argvs" | "whole">,
    failed: readonly Cell[],
  ): readonly string[] {
    const seen = failed.map(({ id }) => id);
    this.#fates.add({ kind, mutant: title, reason, seen, ...(excuse === undefined ? {} : { excuse }) });
    assert.deepEqual(
      failed.filter((cell) => !mayFail(cell)).map(({ id }) => id),
      [],
      `${title}: these cells have nothing to do with it`,
    );
    return seen;
  }
}
