import { formatElapsed } from "../../clusters/progress.ts";

/** What runs, what is done, and how long the rest takes: a line a variant, and on a terminal the cells as they come. */
export class LiveProgress {
  readonly #total: number;
  readonly #write: (text: string) => void;
  readonly #terminal: boolean;
  readonly #now: () => number;
  readonly #took: number[] = [];
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

  /** A variant begins. */
  begin(title: string): void {
    this.#begun = this.#now();
    this.#write(`      · variant ${this.#took.length + 1} of ${this.#total}: ${title}${this.#left()}\n`);
  }

  /** So many of its cells have their result. */
  cells(done: number, of: number): void {
    if (!this.#terminal) return;
    this.#write(done < of ? `\r        ${done} of ${of} cells` : "\r\u001b[K");
  }

  end(): void {
    this.#took.push(this.#now() - this.#begun);
  }

  /** As long as those took that are done; of the first one nothing is known. */
  #left(): string {
    if (this.#took.length === 0) return "";
    const mean = this.#took.reduce((sum, one) => sum + one, 0) / this.#took.length;
    return `; about ${formatElapsed(mean * (this.#total - this.#took.length))} left`;
  }
}
