import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RESULTS } from "../../results/write.ts";

export type MutantKind = "plan" | "nft" | "sysctl" | "kube-proxy" | "gate" | "fact";

/** One mutant's fate. */
interface MutantResult {
  readonly kind: MutantKind;
  readonly mutant: string;
  readonly reason: string;
  readonly fate: "killed" | "survived";
  /** What saw it: ids of cells that turned red, or what else of the matrix did. */
  readonly seen: readonly string[];
  /** Why a survivor is no hole in the matrix. */
  readonly excuse?: string;
}

/** Tells each fate as it comes, and keeps them for results/mutants.json, the record of a whole run. */
export class MutantResults {
  readonly all: MutantResult[] = [];

  add(fate: Omit<MutantResult, "fate">): void {
    const killed = fate.seen.length > 0;
    const excuse = killed || fate.excuse === undefined ? {} : { excuse: fate.excuse };
    const { kind, mutant, reason, seen } = fate;
    this.all.push({ kind, mutant, reason, fate: killed ? "killed" : "survived", seen, ...excuse });
    const told = killed ? `seen by ${seen.length}` : `SURVIVED${fate.excuse === undefined ? "" : ` (${fate.excuse})`}`;
    process.stdout.write(`      · ${mutant}: ${told}\n`);
  }

  /** Survivors that nothing excuses. */
  get holes(): readonly string[] {
    return this.all.filter(({ fate, excuse }) => fate === "survived" && excuse === undefined).map((one) => one.mutant);
  }

  get #summary() {
    const killed = this.all.filter(({ fate }) => fate === "killed").length;
    return { mutants: this.all.length, killed, excused: this.all.length - killed - this.holes.length };
  }

  tell(): void {
    const { mutants, killed, excused } = this.#summary;
    process.stdout.write(
      `      · ${mutants} mutants, ${killed} killed, ${excused} needed elsewhere, ${this.holes.length} survived\n`,
    );
  }

  async write(about: Readonly<Record<string, unknown>>): Promise<void> {
    const content = { schema: "interlay.mutants/v2", ...about, summary: this.#summary, fates: this.all };
    await writeFile(join(RESULTS, "mutants.json"), `${JSON.stringify(content, null, 2)}\n`);
  }
}
