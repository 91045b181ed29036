import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { countPredictions } from "../../results/judge-prediction.ts";
import type { CellResult } from "../../results/schema.ts";
import { RECORDED_RESULTS } from "../../results/files/write.ts";

export type MutantKind = "plan" | "nft" | "sysctl" | "kube-proxy" | "gate" | "fact";

/** Result of one mutant. */
interface MutantResult {
  readonly kind: MutantKind;
  readonly mutant: string;
  readonly reason: string;
  readonly result: "killed" | "survived";
  /** Evidence that detected it: ids of cells that failed, or other findings of the matrix. */
  readonly seen: readonly string[];
  /** Why the matrix need not detect a survivor. */
  readonly allowedBecause?: string;
}

/** Prints each result, and collects them for results/data/mutants.json, the record of a complete run. */
export class MutantResults {
  readonly all: MutantResult[] = [];
  readonly #probed: Pick<CellResult, "predicted" | "actual" | "seen">[] = [];

  /** Prints and adds the result of one mutant. */
  add(result: Omit<MutantResult, "result">): void {
    const killed = result.seen.length > 0;
    const allowedBecause =
      killed || result.allowedBecause === undefined ? {} : { allowedBecause: result.allowedBecause };
    const { kind, mutant, reason, seen } = result;
    this.all.push({ kind, mutant, reason, result: killed ? "killed" : "survived", seen, ...allowedBecause });
    const verdict = killed
      ? `seen by ${seen.length}`
      : `SURVIVED${result.allowedBecause === undefined ? "" : ` (${result.allowedBecause})`}`;
    process.stdout.write(`      · ${mutant}: ${verdict}\n`);
  }

  /** Adds cells that were predicted and probed. */
  addPredictions(cells: readonly CellResult[]): void {
    for (const { predicted, actual, seen } of cells)
      if (predicted !== undefined) this.#probed.push({ predicted, actual, ...(seen === undefined ? {} : { seen }) });
  }

  /** Survivors that are not on the allowlist. */
  get unexplainedSurvivors(): readonly string[] {
    return this.all
      .filter(({ result, allowedBecause }) => result === "survived" && allowedBecause === undefined)
      .map((result) => result.mutant);
  }

  get #summary() {
    const killed = this.all.filter(({ result }) => result === "killed").length;
    return {
      mutants: this.all.length,
      killed,
      allowed: this.all.length - killed - this.unexplainedSurvivors.length,
      predictions: countPredictions(this.#probed),
    };
  }

  /** Prints the number of mutants by result. */
  printSummary(): void {
    const { mutants, killed, allowed, predictions } = this.#summary;
    process.stdout.write(
      `      · ${mutants} mutants, ${killed} killed, ${allowed} needed elsewhere, ${this.unexplainedSurvivors.length} survived\n`,
    );
    process.stdout.write(`      · predictions of the trace: ${JSON.stringify(predictions)}\n`);
  }

  /** Writes results/data/mutants.json. */
  async write(about: Readonly<Record<string, unknown>>): Promise<void> {
    const content = { schema: "interlay.mutants/v3", ...about, summary: this.#summary, results: this.all };
    await writeFile(join(RECORDED_RESULTS, "mutants.json"), `${JSON.stringify(content, null, 2)}\n`);
  }
}
