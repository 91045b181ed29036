import type { PageData, PageVariant } from "../html/data.ts";
import { createComparisonView, createHistoryView } from "./comparison-view.ts";
import { getElement } from "./dom.ts";
import { createEntryView } from "./entry-view.ts";

/** Script of the report's page: opens the cells of an entry, compares variants and lists runs. */
const data = JSON.parse(getElement("data").textContent) as PageData;
const dialog = getElement("dialog") as HTMLDialogElement;
const content = getElement("dialog-content");

function openDialog(
  variant: PageVariant,
  title: string,
  accept: (cell: PageVariant["cells"][number]) => boolean,
): void {
  content.replaceChildren(createEntryView(title, variant.cells.filter(accept), variant.flags));
  dialog.showModal();
  dialog.scrollTop = 0;
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-variant]")) {
  const { variant: index, source, target, group } = button.dataset;
  const variant = data.variants[Number(index)];
  if (variant === undefined) continue;
  button.disabled = false;
  button.addEventListener("click", () => {
    const title = button.getAttribute("aria-label") ?? "";
    openDialog(variant, title, (cell) =>
      group === undefined
        ? cell.group === "matrix" && cell.source === source && cell.target === target
        : cell.group === group,
    );
  });
}

/** Arrow keys move between entries, as in a spreadsheet. */
document.addEventListener("keydown", (event) => {
  const entry = (event.target as Element).closest("td, th");
  if (!(event.target instanceof HTMLButtonElement) || !(entry instanceof HTMLTableCellElement)) return;
  const row = entry.closest("tr");
  const next = {
    ArrowRight: entry.nextElementSibling,
    ArrowLeft: entry.previousElementSibling,
    ArrowDown: row?.nextElementSibling?.children[entry.cellIndex],
    ArrowUp: row?.previousElementSibling?.children[entry.cellIndex],
  }[event.key];
  const button = next?.querySelector("button");
  if (!button) return;
  event.preventDefault();
  button.focus();
});

getElement("dialog-close").addEventListener("click", () => {
  dialog.close();
});
const readHeadings = (selector: string) =>
  [...document.querySelectorAll(selector)].map((element) => element.textContent);
const grid = "#variant-0 .grid";
if (document.querySelector(grid) !== null) {
  getElement("compare").replaceChildren(
    createComparisonView(data.runs, readHeadings(`${grid} tbody th`), readHeadings(`${grid} thead th`).slice(1)),
  );
  getElement("history").replaceChildren(createHistoryView(data.runs));
}
