import type { TableEntry } from "../schema.ts";
import type { RunSummary, VariantSummary } from "../summary.ts";
import { h, table } from "./dom.ts";

interface Choice {
  readonly label: string;
  readonly summary: VariantSummary;
}

/** Two variants, of this run or of earlier ones, beside each other: the table's entries and the cells that differ. */
export function compareView(
  runs: readonly RunSummary[],
  rows: readonly string[],
  columns: readonly string[],
): HTMLElement {
  const choices = runs.flatMap((run, index) =>
    run.variants.map((summary): Choice => {
      const when = index === 0 ? "this run" : run.started.slice(0, 16).replace("T", " ");
      return { label: `${summary.title} (${when})`, summary };
    }),
  );
  const select = (label: string, start: number) => {
    const element = h(
      "select",
      {},
      ...choices.map((choice, index) => h("option", { value: String(index) }, choice.label)),
    );
    element.value = String(Math.min(start, choices.length - 1));
    return { element, field: h("label", {}, `${label} `, element) };
  };
  const [first, second] = [select("Compare", 0), select("with", 1)];
  const result = h("div", { "aria-live": "polite" });
  const update = (): void => {
    const [a, b] = [choices[Number(first.element.value)], choices[Number(second.element.value)]];
    if (a !== undefined && b !== undefined) result.replaceChildren(...difference(a.summary, b.summary, rows, columns));
  };
  for (const { element } of [first, second]) element.addEventListener("change", update);
  update();
  return h("div", {}, h("p", { class: "choose" }, first.field, second.field), result);
}

const WORDS: Readonly<Record<TableEntry, string>> = {
  pass: "✓ pass",
  blocked: "⊘ blocked",
  fail: "✗ fail",
  "not-run": "–",
};

function difference(
  a: VariantSummary,
  b: VariantSummary,
  rows: readonly string[],
  columns: readonly string[],
): readonly HTMLElement[] {
  const entries = rows.map((row, r) => [
    row,
    ...columns.map((_, c) => {
      const [was, is] = [a.table[r]?.[c] ?? "not-run", b.table[r]?.[c] ?? "not-run"];
      if (was === is) return h("span", { class: was }, WORDS[was]);
      return h("mark", {}, `${WORDS[was]} → ${WORDS[is]}`);
    }),
  ]);
  const states = (v: VariantSummary) =>
    new Map([...v.blocked.map((id) => [id, "blocked"] as const), ...v.failed.map((id) => [id, "fail"] as const)]);
  const [before, after] = [states(a), states(b)];
  const changed = [...new Set([...before.keys(), ...after.keys()])]
    .map((id) => [id, before.get(id) ?? "pass", after.get(id) ?? "pass"] as const)
    .filter(([, was, is]) => was !== is);
  return [
    table("The first's entries, and where the second's are others", ["from \\ to", ...columns], entries),
    h(
      "p",
      {},
      `${changed.length} cells differ; median latency ${a.medianMs.toFixed(1)} and ${b.medianMs.toFixed(1)} ms; ${a.cells} and ${b.cells} cells.`,
    ),
    ...(changed.length === 0
      ? []
      : [h("ul", {}, ...changed.map(([id, was, is]) => h("li", {}, h("code", {}, id), `: ${was} → ${is}`)))]),
  ];
}

/** Run by run: what passed, what failed, what had to be asked again. */
export function historyView(runs: readonly RunSummary[]): HTMLElement {
  return table(
    "Newest first; flaky: cells that were right only when asked again",
    ["started", "provider", "versions", "variants", "passed", "failed", "flaky", "median ms"],
    runs.map((run) => [
      run.started.slice(0, 19).replace("T", " "),
      run.provider,
      run.versions["kubernetes"] ?? "",
      String(run.variants.length),
      String(run.passed),
      h("span", { class: run.failed > 0 ? "fail" : "" }, String(run.failed)),
      String(run.variants.reduce((sum, variant) => sum + variant.flaky.length, 0)),
      run.variants.map((variant) => variant.medianMs.toFixed(1)).join(" / "),
    ]),
  );
}
