import type { PageCell } from "../html/data.ts";
import { getElement } from "./dom.ts";
import { drawPath } from "./draw-path.ts";
import { readPaths } from "./shown-path.ts";

/** Script of a certificate's page: draws the captured paths. */
const cells = JSON.parse(getElement("data").textContent) as readonly PageCell[];
for (const cell of cells) {
  const paths = readPaths(cell);
  const figure = document.querySelector(`figure[data-cell="${cell.id}"]`);
  if (paths === undefined || figure === null) continue;
  const { seen } = paths;
  figure.prepend(drawPath(seen, [...seen.request, ...seen.reply], cell.id));
}
