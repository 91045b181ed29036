import type { PageCell } from "../html/data.ts";
import { rerunCommand } from "../rerun.ts";
import { h, table } from "./dom.ts";
import { figure } from "./figure.ts";
import { type Hop, sameHop, type Way, waysOf } from "./hops.ts";

/** Everything about one cell: what was asked, what came of it, the rules that mattered, its way drawn and listed. */
export function cellView(cell: PageCell, flags: string): HTMLElement {
  const ways = waysOf(cell);
  const state = cell.ok ? "as expected" : "NOT as expected";
  return h(
    "article",
    { "aria-label": cell.id },
    h(
      "h3",
      {},
      `${cell.source} → ${cell.target}, ${cell.placement}, ${cell.protocol}${cell.family === "ipv6" ? ", IPv6" : ""}`,
    ),
    h(
      "p",
      {},
      h("code", {}, cell.address),
      `: expected ${cell.expected}, was ${cell.actual}, `,
      h("strong", { class: cell.ok ? "pass" : "fail" }, state),
      `; ${cell.latencyMs.toFixed(1)} ms${cell.attempts > 1 ? `, asked ${cell.attempts} times` : ""}`,
    ),
    cell.reason === undefined ? undefined : h("p", { class: "reason" }, cell.reason),
    cell.cause === undefined ? undefined : h("p", {}, "Likely cause: ", cell.cause),
    cell.rule === undefined ? undefined : h("p", {}, "Rule that mattered: ", h("code", {}, cell.rule)),
    h("p", {}, "Again: ", h("code", {}, rerunCommand(flags, cell.id))),
    ...(ways === undefined
      ? [h("p", {}, "No path was taken for this cell: run with --evidence all.")]
      : pathView(ways.seen, ways.expected)),
  );
}

const hopsOf = ({ request, reply }: Way): readonly Hop[] => [...request, ...reply];

function pathView(seen: Way, expected: Way): readonly HTMLElement[] {
  const all = [...hopsOf(expected), ...hopsOf(seen)];
  const drawn = (title: string, way: Way) =>
    h("figure", {}, h("figcaption", {}, title), figure(way, all, `${title}: ${textOf(way)}`));
  return [
    h("div", { class: "figures" }, drawn("Expected", expected), drawn("Seen", seen)),
    h("p", { class: "legend" }, "Line: request. Dashed: reply. The numbers are the steps of the table."),
    stepTable(seen, expected),
  ];
}

const textOf = (way: Way): string => [`request ${list(way.request)}`, `reply ${list(way.reply)}`].join("; ");
const list = (hops: readonly Hop[]): string =>
  hops.length === 0 ? "not seen" : hops.map((hop) => `${hop.place} ${hop.link} ${hop.direction}`).join(", ");

function stepTable(seen: Way, expected: Way): HTMLTableElement {
  let number = 0;
  const rows = (["request", "reply"] as const).flatMap((half) =>
    Array.from({ length: Math.max(seen[half].length, expected[half].length) }, (_, index) => {
      const [was, should] = [seen[half][index], expected[half][index]];
      number += was === undefined ? 0 : 1;
      const right = sameHop(was, should);
      return [
        was === undefined ? "" : String(number),
        half,
        should === undefined ? "(nothing)" : list([should]),
        h("span", { class: right ? "" : "fail" }, was === undefined ? "(not seen)" : list([was])),
        was === undefined
          ? ""
          : h(
              "span",
              { class: was.translated ? "blocked" : "" },
              `${was.source} → ${was.destination}`,
              was.translated ? " (translated)" : "",
            ),
      ];
    }),
  );
  return table("Steps: expected beside seen", ["step", "half", "expected", "seen", "addresses there"], rows);
}
