import type { PageCell } from "../html/data.ts";
import { cellView } from "./cell-view.ts";
import { h } from "./dom.ts";

/** The cells behind an entry of the table: a list to choose from, and the chosen one. Wrong ones first. */
export function entryView(title: string, cells: readonly PageCell[], flags: string): HTMLElement {
  const ordered = [...cells].sort((a, b) => rank(a) - rank(b));
  const chosen = h("div", { class: "chosen", "aria-live": "polite" });
  const buttons = ordered.map((cell) => {
    const button = h("button", { type: "button", "aria-pressed": "false", class: stateOf(cell) }, cellTitle(cell));
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      chosen.replaceChildren(cellView(cell, flags));
    });
    return button;
  });
  const view = h(
    "div",
    {},
    h("h2", { id: "dialog-title" }, title),
    h("p", {}, latencies(cells)),
    h("ul", { class: "cells" }, ...buttons.map((button) => h("li", {}, button))),
    chosen,
  );
  buttons[0]?.click();
  return view;
}

const rank = (cell: PageCell): number => (!cell.ok ? 0 : cell.expected === "blocked" ? 1 : 2);
export const stateOf = (cell: PageCell): "fail" | "blocked" | "pass" =>
  !cell.ok ? "fail" : cell.expected === "blocked" ? "blocked" : "pass";
const MARKS = { fail: "✗", blocked: "⊘", pass: "✓" } as const;

function cellTitle(cell: PageCell): string {
  const [, from = "", to = ""] = cell.id.split("/");
  return `${MARKS[stateOf(cell)]} ${from} → ${to}, ${cell.placement}, ${cell.protocol}${cell.family === "ipv6" ? ", IPv6" : ""}`;
}

function latencies(cells: readonly PageCell[]): string {
  const sorted = cells
    .filter((cell) => cell.actual === "pass")
    .map((cell) => cell.latencyMs)
    .sort((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  return sorted.length === 0
    ? `${cells.length} cells, none answered`
    : `${cells.length} cells; latency ${at(0)} to ${at(1)} ms, median ${at(0.5)} ms`;
}
