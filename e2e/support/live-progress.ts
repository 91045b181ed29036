import { formatElapsed } from "../../clusters/progress/progress.ts";

/** Prints a line for each variant with the estimated remaining time, and on a terminal the number of cells that are done. */
export class LiveProgress {
  readonly #total: number;
  readonly #write: (text: string) => void;
  readonly #terminal: boolean;
  readonly #now: () => number;
  readonly #durations: number[] = [];
  #begun = 0;

  constructor(
    total: number,
    stream: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stdout,
    env: NodeJS.ProcessEnv = process.env,
    now: () => number = () => performance.now(),
  ) {
    this.#total = total;
    this.#write = (text) => stream.write(text);
    this.#terminal = stream.isTTY && !env["CI"] && env["TERM"] !== "dumb";
    this.#now = now;
  }

  /** Prints the line of a variant. */
  startVariant(title: string): void {
    this.#begun = this.#now();
    this.#write(
      `      · variant ${this.#durations.length + 1} of ${this.#total}: ${title}${this.#formatRemaining()}\n`,
    );
  }

  /** Prints how many cells of the variant have their result. */
  showCells(done: number, total: number): void {
    if (!this.#terminal) return;
    this.#write(done < total ? `\r        ${done} of ${total} cells` : "\r\u001b[K");
  }

  endVariant(): void {
    this.#durations.push(this.#now() - this.#begun);
  }

  /** Estimates from the variants that are done; the empty text before the first one is. */
  #formatRemaining(): string {
    if (this.#durations.length === 0) return "";
    const mean = this.#durations.reduce((sum, milliseconds) => sum + milliseconds, 0) / this.#durations.length;
    return `; about ${formatElapsed(mean * (this.#total - this.#durations.length))} left`;
  }
}
