import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import type { Measurement } from "./measurement.ts";

/** Keeps and prints rows. */
export type RowReporter = (rows: readonly Measurement[]) => void;

/** Measures the sections of a benchmark one after another, so that the others are measured and written also if one fails. */
export class SectionRunner {
  readonly #print: (line: string) => void;
  readonly #selected: readonly string[] | undefined;
  readonly #rows: Measurement[] = [];

  /** @param selected names of the sections that are measured; all by default */
  constructor(print: (line: string) => void, selected?: readonly string[]) {
    this.#print = print;
    this.#selected = selected;
  }

  /** Rows of the sections so far. A section that failed has one row over its limit, with the reason. */
  get rows(): readonly Measurement[] {
    return this.#rows;
  }

  /** Whether one of these sections is selected. */
  selects(...sections: readonly string[]): boolean {
    return this.#selected === undefined || sections.some((section) => this.#selected?.includes(section));
  }

  /**
   * Measures a section if it is selected, and prints its rows.
   *
   * @param measure returns rows, or reports them as soon as they are known, so that they are kept if a later one fails
   */
  async measure(section: string, measure: (report: RowReporter) => Promise<readonly Measurement[]>): Promise<void> {
    const report: RowReporter = (rows) => {
      this.#record(rows);
    };
    if (this.selects(section)) report(await measureOrExplain(section, () => measure(report)));
  }

  /** Does what several sections need, for example creates their lab. Its failure is a row as that of a section. */
  async prepare(rowName: string, prepare: () => Promise<void>): Promise<void> {
    this.#record(await measureOrExplain(rowName, () => prepare().then(() => [])));
  }

  #record(rows: readonly Measurement[]): void {
    for (const { name, value, unit, basis } of rows) this.#print(`${name}: ${value} ${unit} (${basis})`);
    this.#rows.push(...rows);
  }
}

async function measureOrExplain(
  section: string,
  measure: () => Promise<readonly Measurement[]>,
): Promise<readonly Measurement[]> {
  try {
    return await measure();
  } catch (error) {
    const [reason = ""] = getErrorMessage(error).split("\n");
    return [{ name: `${section}: not measured`, value: 1, unit: "failures", limit: 0, basis: reason }];
  }
}
