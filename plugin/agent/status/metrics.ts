/** Prometheus' text format 0.0.4; names follow its naming guide: base units, `_total` for counters. */
type Labels = Readonly<Record<string, string>>;

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

interface Series {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly values: Map<string, number>;
}

export class Metrics {
  readonly #series = new Map<string, Series>();

  /** Adds to a counter. */
  count(name: string, help: string, labels: Labels = {}, by = 1): void {
    const { values } = this.#of(name, "counter", help);
    const key = formatLabels(labels);
    values.set(key, (values.get(key) ?? 0) + by);
  }

  /** Sets a gauge, or a counter that another program counts. */
  set(name: string, help: string, value: number, labels: Labels = {}, type: "gauge" | "counter" = "gauge"): void {
    this.#of(name, type, help).values.set(formatLabels(labels), value);
  }

  /** Removes all values of a gauge, so that those of deleted objects do not stay. */
  clear(name: string): void {
    this.#series.get(name)?.values.clear();
  }

  /** Adds an observation, in seconds. */
  observe(name: string, help: string, seconds: number, labels: Labels = {}): void {
    const { values } = this.#of(name, "histogram", help);
    const add = (suffix: string, by: number, extra: Labels = {}): void => {
      const key = `${suffix}${formatLabels({ ...labels, ...extra })}`;
      values.set(key, (values.get(key) ?? 0) + by);
    };
    for (const bound of BUCKETS) add("_bucket", seconds <= bound ? 1 : 0, { le: String(bound) });
    add("_bucket", 1, { le: "+Inf" });
    add("_sum", seconds);
    add("_count", 1);
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { type, help, values }] of this.#series) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [key, value] of values) lines.push(`${name}${key} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #of(name: string, type: Series["type"], help: string): Series {
    const found = this.#series.get(name);
    if (found !== undefined) return found;
    const made: Series = { type, help, values: new Map() };
    this.#series.set(name, made);
    return made;
  }
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
