import type { PageCell } from "../html/data.ts";
import { formatRerunCommand } from "../rerun.ts";
import { createElement, createTable } from "./dom.ts";
import { drawPath } from "./draw-path.ts";
import { type ComparedPaths, type ShownHop, isSameHop, type ShownPath, readPaths } from "./shown-path.ts";

/** Shows one cell: probe, result, the rule that decided, and its path as a drawing and a list. */
export function createCellView(cell: PageCell, flags: string): HTMLElement {
  const paths = readPaths(cell);
  const state = cell.ok ? "as expected" : "NOT as expected";
  return createElement(
    "article",
    { "aria-label": cell.id },
    createElement(
      "h3",
      {},
      `${cell.source} → ${cell.target}, ${cell.placement}, ${cell.protocol}${cell.family === "ipv6" ? ", IPv6" : ""}`,
    ),
    createElement(
      "p",
      {},
      createElement("code", {}, cell.address),
      `: expected ${cell.expected}, was ${cell.actual}, `,
      createElement("strong", { class: cell.ok ? "pass" : "fail" }, state),
      `; ${cell.latencyMs.toFixed(1)} ms${cell.attempts > 1 ? `, ${cell.attempts} attempts` : ""}${(cell.resent ?? 0) > 0 ? `, ${cell.resent} packets sent again` : ""}`,
    ),
    cell.predicted === undefined
      ? undefined
      : createElement("p", { class: "reason" }, `Predicted by the trace: ${cell.predicted}`),
    cell.reason === undefined ? undefined : createElement("p", { class: "reason" }, cell.reason),
    cell.cause === undefined ? undefined : createElement("p", {}, "Likely cause: ", cell.cause),
    cell.rule === undefined ? undefined : createElement("p", {}, "Rule: ", createElement("code", {}, cell.rule)),
    createElement("p", {}, "Run again: ", createElement("code", {}, formatRerunCommand(flags, cell.id))),
    ...(paths === undefined
      ? [createElement("p", {}, "No packets were captured for this cell: run with --evidence all.")]
      : createPathView(paths)),
  );
}

const listHops = ({ request, reply }: ShownPath): readonly ShownHop[] => [...request, ...reply];

function createPathView({ expected, predicted, seen }: ComparedPaths): readonly HTMLElement[] {
  const allHops = [...listHops(expected), ...(predicted === undefined ? [] : listHops(predicted)), ...listHops(seen)];
  const createFigure = (title: string, path: ShownPath) =>
    createElement(
      "figure",
      {},
      createElement("figcaption", {}, title),
      drawPath(path, allHops, `${title}: ${describePath(path)}`),
    );
  return [
    createElement(
      "div",
      { class: "figures" },
      createFigure("Expected", expected),
      predicted === undefined ? undefined : createFigure("Predicted by the trace", predicted),
      createFigure("Captured", seen),
    ),
    createElement(
      "p",
      { class: "legend" },
      "Solid line: request. Dashed line: reply. The numbers are the steps in the table.",
    ),
    createStepTable(seen, expected),
  ];
}

const describePath = (path: ShownPath): string =>
  [`request ${describeHops(path.request)}`, `reply ${describeHops(path.reply)}`].join("; ");
const describeHops = (hops: readonly ShownHop[]): string =>
  hops.length === 0 ? "not captured" : hops.map((hop) => `${hop.place} ${hop.link} ${hop.direction}`).join(", ");

function createStepTable(seen: ShownPath, expected: ShownPath): HTMLTableElement {
  let number = 0;
  const rows = (["request", "reply"] as const).flatMap((half) =>
    Array.from({ length: Math.max(seen[half].length, expected[half].length) }, (_, index) => {
      const [seenHop, expectedHop] = [seen[half][index], expected[half][index]];
      number += seenHop === undefined ? 0 : 1;
      const isAsExpected = isSameHop(seenHop, expectedHop);
      return [
        seenHop === undefined ? "" : String(number),
        half,
        expectedHop === undefined ? "(none)" : describeHops([expectedHop]),
        createElement(
          "span",
          { class: isAsExpected ? "" : "fail" },
          seenHop === undefined ? "(not captured)" : describeHops([seenHop]),
        ),
        seenHop === undefined
          ? ""
          : createElement(
              "span",
              { class: seenHop.translated ? "blocked" : "" },
              `${seenHop.source} → ${seenHop.destination}`,
              seenHop.translated ? " (translated)" : "",
            ),
      ];
    }),
  );
  return createTable(
    "Steps: expected and captured hops",
    ["step", "direction", "expected", "captured", "addresses"],
    rows,
  );
}
