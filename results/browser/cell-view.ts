import type { PageCell } from "../html/data.ts";
import { formatRerunCommand } from "../rerun.ts";
import { createElement, createTable } from "./dom.ts";
import { drawPath } from "./draw-path.ts";
import { type ShownHop, isSameHop, type ShownPath, readPaths } from "./shown-path.ts";

/** Everything about one cell: what was asked, what came of it, the rules that mattered, its way drawn and listed. */
export function createCellView(cell: PageCell, flags: string): HTMLElement {
  const ways = readPaths(cell);
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
      `; ${cell.latencyMs.toFixed(1)} ms${cell.attempts > 1 ? `, asked ${cell.attempts} times` : ""}`,
    ),
    cell.reason === undefined ? undefined : createElement("p", { class: "reason" }, cell.reason),
    cell.cause === undefined ? undefined : createElement("p", {}, "Likely cause: ", cell.cause),
    cell.rule === undefined
      ? undefined
      : createElement("p", {}, "Rule that mattered: ", createElement("code", {}, cell.rule)),
    createElement("p", {}, "Again: ", createElement("code", {}, formatRerunCommand(flags, cell.id))),
    ...(ways === undefined
      ? [createElement("p", {}, "No path was taken for this cell: run with --evidence all.")]
      : createPathView(ways.seen, ways.expected)),
  );
}

const listHops = ({ request, reply }: ShownPath): readonly ShownHop[] => [...request, ...reply];

function createPathView(seen: ShownPath, expected: ShownPath): readonly HTMLElement[] {
  const all = [...listHops(expected), ...listHops(seen)];
  const drawn = (title: string, way: ShownPath) =>
    createElement(
      "figure",
      {},
      createElement("figcaption", {}, title),
      drawPath(way, all, `${title}: ${describePath(way)}`),
    );
  return [
    createElement("div", { class: "figures" }, drawn("Expected", expected), drawn("Seen", seen)),
    createElement("p", { class: "legend" }, "Line: request. Dashed: reply. The numbers are the steps of the table."),
    createStepTable(seen, expected),
  ];
}

const describePath = (way: ShownPath): string =>
  [`request ${describeHops(way.request)}`, `reply ${describeHops(way.reply)}`].join("; ");
const describeHops = (hops: readonly ShownHop[]): string =>
  hops.length === 0 ? "not seen" : hops.map((hop) => `${hop.place} ${hop.link} ${hop.direction}`).join(", ");

function createStepTable(seen: ShownPath, expected: ShownPath): HTMLTableElement {
  let number = 0;
  const rows = (["request", "reply"] as const).flatMap((half) =>
    Array.from({ length: Math.max(seen[half].length, expected[half].length) }, (_, index) => {
      const [was, should] = [seen[half][index], expected[half][index]];
      number += was === undefined ? 0 : 1;
      const right = isSameHop(was, should);
      return [
        was === undefined ? "" : String(number),
        half,
        should === undefined ? "(nothing)" : describeHops([should]),
        createElement("span", { class: right ? "" : "fail" }, was === undefined ? "(not seen)" : describeHops([was])),
        was === undefined
          ? ""
          : createElement(
              "span",
              { class: was.translated ? "blocked" : "" },
              `${was.source} → ${was.destination}`,
              was.translated ? " (translated)" : "",
            ),
      ];
    }),
  );
  return createTable("Steps: expected beside seen", ["step", "half", "expected", "seen", "addresses there"], rows);
}
