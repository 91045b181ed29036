import { type CellResult, POD_TYPES, type Report, type TableEntry, TARGETS, type VariantResult } from "./schema.ts";
import { countCells, POD_TYPE_TITLES, TARGET_TITLES, variantTitle } from "./title.ts";

const MARKS: Readonly<Record<TableEntry, string>> = {
  pass: "✓ pass",
  blocked: "⊘ blocked",
  fail: "✗ fail",
  "not-run": "–",
};

/** Text that came from outside never becomes markup. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** The report as one file that needs no network: tables, and under each entry its cells. Works without scripts. */
export function toHtml(report: Report): string {
  const { passed, failed, skipped } = report.summary;
  const state = failed === 0 ? "passed" : "failed";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Interlay connectivity: ${state}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Interlay connectivity: <span class="${failed === 0 ? "pass" : "fail"}">${state}</span></h1>
<p>${passed} passed, ${failed} failed, ${skipped} skipped · ${escape(report.provider)} · <time>${escape(report.started)}</time></p>
<dl>${Object.entries(report.versions)
    .map(([name, version]) => `<div><dt>${escape(name)}</dt><dd>${escape(version)}</dd></div>`)
    .join("")}</dl>
${report.variants.map(variantSection).join("\n")}
${checksSection(report)}
</body>
</html>
`;
}

function variantSection(variant: VariantResult): string {
  const { ok, failed, blocked } = countCells(variant);
  const title = variantTitle(variant);
  const rows = POD_TYPES.map(
    (type, row) =>
      `<tr><th scope="row">${POD_TYPE_TITLES[type]}</th>${TARGETS.map((_, column) => {
        const entry = variant.table[row]?.[column] ?? "not-run";
        return `<td class="${entry}">${MARKS[entry]}</td>`;
      }).join("")}</tr>`,
  );
  return `<section>
<h2>${escape(title)}</h2>
<table><caption>From (rows) to (columns)</caption>
<thead><tr><th scope="col">from \\ to</th>${TARGETS.map((t) => `<th scope="col">${TARGET_TITLES[t]}</th>`).join("")}</tr></thead>
<tbody>${rows.join("")}</tbody></table>
<p>${ok} of ${ok + failed} cells as expected, ${blocked} blocked by the gate; INVALID rule ${variant.invalidDropRule ? "in place" : "left out"}, <code>nf_conntrack_tcp_be_liberal=${variant.tcpBeLiberal}</code>; ${variant.seconds.toFixed(1)} s.</p>
<details${failed > 0 ? " open" : ""}><summary>All ${variant.cells.length} cells</summary>${cellTable(variant.cells)}</details>
</section>`;
}

function cellTable(cells: readonly CellResult[]): string {
  const ordered = [...cells].sort((a, b) => Number(a.ok) - Number(b.ok));
  const rows = ordered.map((cell) => {
    const state = !cell.ok ? "fail" : cell.expected === "blocked" ? "blocked" : "pass";
    const columns = [cell.group, cell.source, cell.target, cell.placement, cell.protocol, cell.address].map(
      (text) => `<td>${escape(text)}</td>`,
    );
    return `<tr>${columns.join("")}<td class="${state}">${MARKS[state]}</td><td>${cell.latencyMs.toFixed(1)}</td><td>${escape(cell.reason ?? "")}</td></tr>`;
  });
  const heads = ["group", "from", "to", "placement", "protocol", "address", "result", "ms", "reason"];
  return `<table><thead><tr>${heads.map((h) => `<th scope="col">${h}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function checksSection({ checks }: Report): string {
  if (checks.length === 0) return "";
  const items = checks.map((check) => {
    const state = check.status === "failed" ? "fail" : check.status === "passed" ? "pass" : "not-run";
    return `<li><span class="${state}">${check.status}</span> ${escape(check.name)}${check.error === undefined ? "" : ` <code>${escape(check.error)}</code>`}</li>`;
  });
  return `<section><h2>Checks</h2><ul>${items.join("")}</ul></section>`;
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#ccc, #444); --pass: light-dark(#116329, #57d178); --fail: light-dark(#a40e26, #ff7b7b); --blocked: light-dark(#7a4b00, #e3b341); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: .5rem 0; }
caption { text-align: left; font-size: .85rem; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
dl { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; } dl div { display: flex; gap: .4rem; } dt { font-weight: 600; } dd { margin: 0; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: 700; } .blocked { color: var(--blocked); font-weight: 600; }
details { overflow-x: auto; } summary { cursor: pointer; padding: .3rem 0; }
code { overflow-wrap: anywhere; }
`;
