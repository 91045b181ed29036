import { type CellResult, POD_TYPES, type Report, type SummaryEntry, TARGETS, type VariantResult } from "../schema.ts";
import type { ReportSummary } from "../run-summary.ts";
import {
  countCells,
  describeNodes,
  getPodTypeTitles,
  getTargetTitles,
  type RunIdentity,
  variantTitle,
  getReportTitle,
} from "../title.ts";
import { createPageData } from "./data.ts";
import { escapeHtml } from "./escape.ts";
import { buildPageScript } from "./script.ts";
import { renderPageHead } from "./page-head.ts";

const MARKS: Readonly<Record<SummaryEntry, string>> = {
  pass: "✓ pass",
  blocked: "⊘ blocked",
  fail: "✗ fail",
  "not-run": "–",
};

/**
 * Renders the report as one file that needs no network. It contains the tables and all cells; with scripts, entries of a table
 * open their cells with paths, and variants and runs can be compared.
 */
export async function toHtml(report: Report, earlier: readonly ReportSummary[]): Promise<string> {
  const { passed, failed, skipped } = report.summary;
  const state = failed === 0 ? "passed" : "failed";
  return `${renderPageHead(`${getReportTitle(report)}: ${state}`)}<body>
<main>
<h1>${getReportTitle(report)}: <span class="${failed === 0 ? "pass" : "fail"}">${state}</span></h1>
<p>${passed} passed, ${failed} failed, ${skipped} skipped · ${escapeHtml(report.provider)} · <time>${escapeHtml(report.started)}</time></p>
<dl>${Object.entries(report.versions)
    .map(([name, version]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(version)}</dd></div>`)
    .join("")}</dl>
${renderFailures(report)}
${report.variants.map((variant, index) => renderVariant(variant, index, report)).join("\n")}
<section><h2>Compare</h2><div id="compare"><noscript>Requires JavaScript.</noscript></div></section>
<section><h2>History</h2><div id="history"><noscript>Requires JavaScript.</noscript></div></section>
${renderChecks(report)}
</main>
<dialog id="dialog" aria-labelledby="dialog-title"><button id="dialog-close" type="button">Close</button><div id="dialog-content"></div></dialog>
<script type="application/json" id="data">${JSON.stringify(createPageData(report, earlier)).replaceAll("<", "\\u003c")}</script>
<script type="module">${await buildPageScript("main.ts")}</script>
</body>
</html>
`;
}

/** Renders the failures, which come first on the page. */
function renderFailures({ variants, checks }: Report): string {
  const cells = variants.flatMap((variant, index) =>
    variant.cells
      .filter(({ ok }) => !ok)
      .map(
        (cell) =>
          `<li><a href="#variant-${index}">${escapeHtml(variantTitle(variant))}</a>: <code>${escapeHtml(cell.id)}</code>: ${escapeHtml(cell.reason ?? cell.actual)}${cell.cause === undefined ? "" : ` <em>Likely cause: ${escapeHtml(cell.cause)}</em>`}</li>`,
      ),
  );
  // Checks that only summarize cells are left out where the cells are listed.
  const failed = checks
    .filter(({ status, name }) => status === "failed" && (cells.length === 0 || !/ cells: [a-z-]+$/.test(name)))
    .map(({ name, error }) => `<li>${escapeHtml(name)}: ${escapeHtml(error ?? "")}</li>`);
  const failures = [...failed, ...cells];
  if (failures.length === 0) return "";
  const more = failures.length > SHOWN_FAILURES ? `<li>and ${failures.length - SHOWN_FAILURES} more below</li>` : "";
  return `<section aria-labelledby="failures"><h2 id="failures">Failures</h2><ul>${failures.slice(0, SHOWN_FAILURES).join("")}${more}</ul></section>`;
}
const SHOWN_FAILURES = 10;

function renderVariant(variant: VariantResult, index: number, run: RunIdentity): string {
  const [types, targets] = [getPodTypeTitles(run), getTargetTitles(run)];
  const { ok, failed, blocked } = countCells(variant);
  const title = variantTitle(variant);
  const rows = POD_TYPES.map(
    (type, row) =>
      `<tr><th scope="row">${types[type]}</th>${TARGETS.map((_target, column) => {
        const entry = variant.table[row]?.[column] ?? "not-run";
        const label = `${title}: ${types[type]} to ${targets[TARGETS[column] ?? "overlay"]}: ${entry}`;
        const attributes = `data-variant="${index}" data-source="${type}" data-target="${TARGETS[column] ?? ""}" aria-label="${escapeHtml(label)}"`;
        return `<td><button type="button" disabled class="${entry}" ${attributes}>${MARKS[entry]}</button></td>`;
      }).join("")}</tr>`,
  );
  return `<section id="variant-${index}">
<h2>${escapeHtml(title)}</h2>
<table class="grid"><caption>From (rows) to (columns)</caption>
<thead><tr><th scope="col">from \\ to</th>${TARGETS.map((t) => `<th scope="col">${targets[t]}</th>`).join("")}</tr></thead>
<tbody>${rows.join("")}</tbody></table>
<p>${ok} of ${ok + failed} cells as expected, ${blocked} blocked as expected; ${describeNodes(variant)}; ${variant.seconds.toFixed(1)} s.</p>
${renderGroups(variant, index)}
<details${failed > 0 ? " open" : ""}><summary>All ${variant.cells.length} cells</summary>${renderCellTable(variant.cells)}</details>
</section>`;
}

/** Renders the groups that are not in the table, such as nodes, external clients and NodePorts. */
function renderGroups(variant: VariantResult, index: number): string {
  const groups = [...new Set(variant.cells.map(({ group }) => group))].filter((group) => group !== "matrix");
  const items = groups.map((group) => {
    const cells = variant.cells.filter((cell) => cell.group === group);
    const failed = cells.filter((cell) => !cell.ok).length;
    const text = `${group}: ${failed === 0 ? `✓ ${cells.length}` : `✗ ${failed} of ${cells.length}`}`;
    return `<li><button type="button" disabled class="${failed === 0 ? "pass" : "fail"}" data-variant="${index}" data-group="${escapeHtml(group)}" aria-label="${escapeHtml(`${variantTitle(variant)}: ${text}`)}">${escapeHtml(text)}</button></li>`;
  });
  return items.length === 0 ? "" : `<ul class="groups">${items.join("")}</ul>`;
}

function renderCellTable(cells: readonly CellResult[]): string {
  const ordered = [...cells].sort((a, b) => Number(a.ok) - Number(b.ok));
  const rows = ordered.map((cell) => {
    const state = !cell.ok ? "fail" : cell.expected === "blocked" ? "blocked" : "pass";
    const columns = [cell.group, cell.source, cell.target, cell.placement, cell.protocol, cell.address].map(
      (text) => `<td>${escapeHtml(text)}</td>`,
    );
    return `<tr>${columns.join("")}<td class="${state}">${MARKS[state]}</td><td>${cell.latencyMs.toFixed(1)}</td><td>${escapeHtml(cell.reason ?? "")}</td></tr>`;
  });
  const heads = ["group", "from", "to", "placement", "protocol", "address", "result", "ms", "reason"];
  return `<table><caption>Cells, failed ones first</caption><thead><tr>${heads.map((h) => `<th scope="col">${h}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function renderChecks({ checks }: Report): string {
  if (checks.length === 0) return "";
  const items = checks.map((check) => {
    const state = check.status === "failed" ? "fail" : check.status === "passed" ? "pass" : "not-run";
    return `<li><span class="${state}">${check.status}</span> ${escapeHtml(check.name)}${check.error === undefined ? "" : ` <code>${escapeHtml(check.error)}</code>`}</li>`;
  });
  return `<section><h2>Checks</h2><ul>${items.join("")}</ul></section>`;
}
