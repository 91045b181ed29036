import type { SummaryEntry } from "../schema.ts";
import type { ReportSummary, VariantSummary } from "../run-summary.ts";
import { createElement, createTable } from "./dom.ts";

interface Choice {
  readonly label: string;
  readonly summary: VariantSummary;
}

/** Compares two variants of this or earlier runs: entries of the table, and cells that differ. */
export function createComparisonView(
  runs: readonly ReportSummary[],
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
    const element = createElement(
      "select",
      {},
      ...choices.map((choice, index) => createElement("option", { value: String(index) }, choice.label)),
    );
    element.value = String(Math.min(start, choices.length - 1));
    return { element, field: createElement("label", {}, `${label} `, element) };
  };
  const [first, second] = [select("Compare", 0), select("with", 1)];
  const result = createElement("div", { "aria-live": "polite" });
  const update = (): void => {
    const [firstChoice, secondChoice] = [choices[Number(first.element.value)], choices[Number(second.element.value)]];
    if (firstChoice !== undefined && secondChoice !== undefined)
      result.replaceChildren(...renderDifference(firstChoice.summary, secondChoice.summary, rows, columns));
  };
  for (const { element } of [first, second]) element.addEventListener("change", update);
  update();
  return createElement("div", {}, createElement("p", { class: "choose" }, first.field, second.field), result);
}

const MARKS: Readonly<Record<SummaryEntry, string>> = {
  pass: "✓ pass",
  blocked: "⊘ blocked",
  fail: "✗ fail",
  "not-run": "–",
};

function renderDifference(
  first: VariantSummary,
  second: VariantSummary,
  rows: readonly string[],
  columns: readonly string[],
): readonly HTMLElement[] {
  const entries = rows.map((row, r) => [
    row,
    ...columns.map((_, c) => {
      const [previous, current] = [first.table[r]?.[c] ?? "not-run", second.table[r]?.[c] ?? "not-run"];
      if (previous === current) return createElement("span", { class: previous }, MARKS[previous]);
      return createElement("mark", {}, `${MARKS[previous]} → ${MARKS[current]}`);
    }),
  ]);
  const states = (v: VariantSummary) =>
    new Map([...v.blocked.map((id) => [id, "blocked"] as const), ...v.failed.map((id) => [id, "fail"] as const)]);
  const [before, after] = [states(first), states(second)];
  const changed = [...new Set([...before.keys(), ...after.keys()])]
    .map((id) => [id, before.get(id) ?? "pass", after.get(id) ?? "pass"] as const)
    .filter(([, previous, current]) => previous !== current);
  return [
    createTable("Entries of the first variant, with changes in the second", ["from \\ to", ...columns], entries),
    createElement(
      "p",
      {},
      `${changed.length} cells differ; median latency ${first.medianMs.toFixed(1)} and ${second.medianMs.toFixed(1)} ms; ${first.cells} and ${second.cells} cells.`,
    ),
    ...(changed.length === 0
      ? []
      : [
          createElement(
            "ul",
            {},
            ...changed.map(([id, previous, current]) =>
              createElement("li", {}, createElement("code", {}, id), `: ${previous} → ${current}`),
            ),
          ),
        ]),
  ];
}

/** Lists the runs with passed, failed and flaky cells. */
export function createHistoryView(runs: readonly ReportSummary[]): HTMLElement {
  return createTable(
    "Newest first; flaky: cells that passed only after several attempts, or with packets sent again",
    ["started", "provider", "versions", "variants", "passed", "failed", "flaky", "median ms"],
    runs.map((run) => [
      run.started.slice(0, 19).replace("T", " "),
      run.provider,
      run.versions["kubernetes"] ?? "",
      String(run.variants.length),
      String(run.passed),
      createElement("span", { class: run.failed > 0 ? "fail" : "" }, String(run.failed)),
      String(run.variants.reduce((sum, variant) => sum + variant.flaky.length, 0)),
      run.variants.map((variant) => variant.medianMs.toFixed(1)).join(" / "),
    ]),
  );
}
