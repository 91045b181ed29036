import { type ReportSummary, type VariantSummary } from "../summary.ts";
import { escapeHtml } from "./escape.ts";
import { STYLE } from "./style.ts";

/** Columns: what fits on a screen, and a month of nights. */
const DAYS = 30;

interface Entry {
  readonly run: ReportSummary;
  readonly variant: VariantSummary;
}

/**
 * All runs on one page: a row for each cluster and variant, a column for each day, the last run of a day in it, which links to
 * its report. Newest first; needs no scripts.
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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Interlay connectivity: history</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Interlay connectivity: history</h1>
<p>${runs.length} runs, ${shown.length} variants, ${days.length} days. An entry is the day's last run: cells that failed, else cells that passed, of them so many blocked as the gate says, and those asked more than once.</p>
<main><div style="overflow-x:auto"><table>
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
  const said =
    failed.length > 0
      ? `✗ ${failed.length} of ${cells}`
      : [
          `✓ ${cells}`,
          ...(blocked.length > 0 ? [`${blocked.length} blocked`] : []),
          ...(flaky.length > 0 ? [`${flaky.length} asked again`] : []),
        ].join(", ");
  const names = failed.length > 0 ? ` title="${escapeHtml(failed.slice(0, 5).join(", "))}"` : "";
  return `<td><a class="${failed.length > 0 ? "fail" : "pass"}" href="${encodeURIComponent(entry.run.id)}/report.html"${names}>${said}</a></td>`;
}
