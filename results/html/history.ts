import { type ReportSummary, type VariantSummary } from "../run-summary.ts";
import { escapeHtml } from "./escape.ts";
import { renderPageHead } from "./page-head.ts";

/** Number of days in the table. */
const DAYS = 30;

interface Entry {
  readonly run: ReportSummary;
  readonly variant: VariantSummary;
}

/**
 * Renders all runs on one page without scripts: a row for each cluster and variant, a column for each day, newest first. An
 * entry is the last run of the day and links to its report.
 */
export function toHistory(runs: readonly ReportSummary[]): string {
  const days = [...new Set(runs.map(getDay))].sort().reverse().slice(0, DAYS);
  const rows = new Map<string, Map<string, Entry>>();
  for (const run of [...runs].sort((a, b) => a.started.localeCompare(b.started)))
    for (const variant of run.variants) {
      const title = rowTitle(run, variant);
      rows.set(title, (rows.get(title) ?? new Map<string, Entry>()).set(getDay(run), { run, variant }));
    }
  const shown = [...rows].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  return `${renderPageHead("Interlay connectivity: history")}<body>
<main>
<h1>Interlay connectivity: history</h1>
<p>${runs.length} runs, ${shown.length} variants, ${days.length} days. Each entry is the last run of the day: failed cells, or the number of cells with those blocked as expected and those that needed several attempts.</p>
<div style="overflow-x:auto" tabindex="0" role="region" aria-label="Results by day"><table>
<thead><tr><th scope="col">cluster and variant</th>${days.map((day) => `<th scope="col">${day}</th>`).join("")}</tr></thead>
<tbody>
${shown.map(([title, entries]) => `<tr><th scope="row">${escapeHtml(title)}</th>${days.map((day) => entryCell(entries.get(day))).join("")}</tr>`).join("\n")}
</tbody></table></div></main>
</body>
</html>
`;
}

const getDay = ({ started }: ReportSummary): string => started.slice(0, "2026-01-01".length);

function rowTitle({ provider, versions, families }: ReportSummary, { title }: VariantSummary): string {
  const cluster = [provider, versions["kubernetes"] ?? "", families.join("+")].filter((part) => part !== "").join(" ");
  return `${cluster}: ${title}`;
}

function entryCell(entry: Entry | undefined): string {
  if (entry === undefined) return "<td>–</td>";
  const { failed, cells, blocked, flaky } = entry.variant;
  const text =
    failed.length > 0
      ? `✗ ${failed.length} of ${cells}`
      : [
          `✓ ${cells}`,
          ...(blocked.length > 0 ? [`${blocked.length} blocked`] : []),
          ...(flaky.length > 0 ? [`${flaky.length} flaky`] : []),
        ].join(", ");
  const names = failed.length > 0 ? ` title="${escapeHtml(failed.slice(0, 5).join(", "))}"` : "";
  return `<td><a class="${failed.length > 0 ? "fail" : "pass"}" href="${encodeURIComponent(entry.run.id)}/report.html"${names}>${text}</a></td>`;
}
