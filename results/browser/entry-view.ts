import type { PageCell } from "../html/data.ts";
import { createCellView } from "./cell-view.ts";
import { createElement } from "./dom.ts";

/** Lists the cells of an entry, failed ones first, and shows the selected one. */
export function createEntryView(title: string, cells: readonly PageCell[], flags: string): HTMLElement {
  const ordered = [...cells].sort((a, b) => rankCell(a) - rankCell(b));
  const chosen = createElement("div", { class: "chosen", "aria-live": "polite" });
  const buttons = ordered.map((cell) => {
    const button = createElement(
      "button",
      { type: "button", "aria-pressed": "false", class: getCellState(cell) },
      formatCellTitle(cell),
    );
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      chosen.replaceChildren(createCellView(cell, flags));
    });
    return button;
  });
  const view = createElement(
    "div",
    {},
    createElement("h2", { id: "dialog-title" }, title),
    createElement("p", {}, describeLatencies(cells)),
    createElement("ul", { class: "cells" }, ...buttons.map((button) => createElement("li", {}, button))),
    chosen,
  );
  buttons[0]?.click();
  return view;
}

const rankCell = (cell: PageCell): number => (!cell.ok ? 0 : cell.expected === "blocked" ? 1 : 2);
const getCellState = (cell: PageCell): "fail" | "blocked" | "pass" =>
  !cell.ok ? "fail" : cell.expected === "blocked" ? "blocked" : "pass";
const MARKS = { fail: "✗", blocked: "⊘", pass: "✓" } as const;

function formatCellTitle(cell: PageCell): string {
  const [, from = "", to = ""] = cell.id.split("/");
  return `${MARKS[getCellState(cell)]} ${from} → ${to}, ${cell.placement}, ${cell.protocol}${cell.family === "ipv6" ? ", IPv6" : ""}`;
}

function describeLatencies(cells: readonly PageCell[]): string {
  const sorted = cells
    .filter((cell) => cell.actual === "pass")
    .map((cell) => cell.latencyMs)
    .sort((a, b) => a - b);
  const formatQuantile = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  return sorted.length === 0
    ? `${cells.length} cells, no responses`
    : `${cells.length} cells; latency ${formatQuantile(0)} to ${formatQuantile(1)} ms, median ${formatQuantile(0.5)} ms`;
}
