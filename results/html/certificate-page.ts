import { type Certificate, type CertifiedVariant, EVIDENCE_TEXT } from "../certificate/certificate-schema.ts";
import { formatSuiteVersion } from "../component-schema.ts";
import { POD_TYPES, type Report, TARGETS } from "../schema.ts";
import { getPodTypeTitles, getTargetTitles, variantTitle } from "../title.ts";
import { createPageData, type PageCell } from "./data.ts";
import { escapeHtml } from "./escape.ts";
import { buildPageScript } from "./script.ts";
import { renderPageHead } from "./page-head.ts";

const PRINT_STYLE = `
section, figure, tr { break-inside: avoid; } .grid td { font-weight: 600; }
@media print { :root { color-scheme: light; } body { font-size: 11px; margin: 0; max-width: none; } a { color: inherit; } }
`;

/**
 * Renders a certificate as one file for print: product, evidence, profiles, tables, and drawings of captured paths.
 * @param keyids fingerprints of the keys that signed it
 * @param report the first run
 */
export async function renderCertificatePage(
  certificate: Certificate,
  keyids: readonly string[],
  report: Report,
): Promise<string> {
  const { product, result, variants, issued } = certificate;
  const title = `${product.vendor} ${product.name} ${product.version}: ${result}`;
  const drawn = selectDrawnCells(report);
  return `${renderPageHead(title, PRINT_STYLE)}<body>
<main>
<h1>${escapeHtml(`${product.vendor} ${product.name} ${product.version}`)}: <span class="${result}">${result}</span></h1>
<p>Certificate of <time>${escapeHtml(issued)}</time>, ${keyids.length === 0 ? "not signed" : `signed with ${escapeHtml(keyids.join(", "))}`}.</p>
<section><h2>Product</h2>${renderTable(["key", "value"], Object.entries(product))}</section>
<section><h2>Profiles</h2>${renderTable(
    ["profile", "claimed", "result", "reason"],
    certificate.profiles.map(({ name, claimed, result, reason }) => [name, claimed ? "yes" : "no", result, reason]),
  )}</section>
${variants.map((variant) => renderVariant(variant, certificate)).join("\n")}
${renderEvidence(certificate)}
${renderDrawings(drawn, report)}
</main>
<script type="application/json" id="data">${JSON.stringify(drawn).replaceAll("<", "\\u003c")}</script>
<script type="module">${await buildPageScript("certificate.ts")}</script>
</body>
</html>
`;
}

function renderVariant(variant: CertifiedVariant, run: Certificate): string {
  const [types, targets] = [getPodTypeTitles(run), getTargetTitles(run)];
  const rows = POD_TYPES.map((type, row) => {
    const entries = (variant.table[row] ?? []).map((entry) => `<td class="${entry}">${entry}</td>`);
    return `<tr><th scope="row">${escapeHtml(types[type])}</th>${entries.join("")}</tr>`;
  });
  const heads = TARGETS.map((target) => `<th scope="col">${escapeHtml(targets[target])}</th>`);
  return `<section><h2>${escapeHtml(variantTitle(variant))}</h2>
<table class="grid"><caption>From (rows) to (columns), the worst of all runs</caption>
<thead><tr><th scope="col">from \\ to</th>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>
<p>${variant.cells} cells, ${variant.blocked.length} blocked as expected, ${variant.failed.length} failed, ${variant.flaky.length} flaky.</p></section>`;
}

function renderEvidence({ components, versions, suite, runs, provider, evidence, workers }: Certificate): string {
  const facts = [
    ["provider", `${provider}, ${workers} workers`],
    ["suite", formatSuiteVersion(suite)],
    ["runs", runs.map(({ started }) => started).join(", ")],
    ["evidence", EVIDENCE_TEXT[evidence]],
    ...Object.entries(versions),
  ];
  const componentTables =
    components === undefined
      ? "<p>The runs did not record the components of the cluster.</p>"
      : [
          renderTable(
            ["node", "system", "kernel", "architecture", "runtime", "kubelet"],
            components.nodes.map((node) => [
              node.name,
              node.os,
              node.kernel,
              node.architecture,
              node.runtime,
              node.kubelet,
            ]),
          ),
          renderTable(
            ["DaemonSet", "images", "ready"],
            components.daemonSets.map((daemonSet) => [
              `${daemonSet.namespace}/${daemonSet.name}`,
              daemonSet.images.join(", "),
              `${daemonSet.ready} of ${daemonSet.desired}`,
            ]),
          ),
          renderTable(
            ["image", "id"],
            components.images.map(({ image, imageID = "not reported" }) => [image, imageID]),
          ),
          renderTable(
            ["CNI configuration", "sha256", "nodes"],
            components.cniConfigurations.map((configuration) => [
              configuration.file,
              configuration.sha256,
              configuration.nodes.join(", "),
            ]),
          ),
          renderTable(
            ["CustomResourceDefinition", "versions"],
            components.crds.map(({ name, versions: served }) => [name, served.join(", ")]),
          ),
          ...components.missing.map((sentence) => `<p>Not known: ${escapeHtml(sentence)}.</p>`),
        ].join("\n");
  return `<section><h2>Runs</h2>${renderTable(["property", "value"], facts)}</section>
<h2>Components of the cluster</h2>
${componentTables}`;
}

/** Selects a captured cell of the first variant for each entry of the table, to another node if there is one. */
function selectDrawnCells(report: Report): readonly PageCell[] {
  const cells = createPageData(report, []).variants[0]?.cells.filter((cell) => cell.path !== undefined) ?? [];
  return POD_TYPES.flatMap((source) =>
    TARGETS.flatMap((target) => {
      const entryCells = cells.filter(
        (cell) => cell.group === "matrix" && cell.source === source && cell.target === target,
      );
      return (
        entryCells.find(({ placement, protocol }) => placement === "other-node" && protocol === "tcp") ??
        entryCells[0] ??
        []
      );
    }),
  );
}

function renderDrawings(cells: readonly PageCell[], report: Report): string {
  const [first] = report.variants;
  if (cells.length === 0 || first === undefined) return "<p>No packets were captured.</p>";
  const figures = cells.map(
    ({ id, actual }) =>
      `<figure data-cell="${escapeHtml(id)}"><figcaption><code>${escapeHtml(id)}</code>: ${actual === "pass" ? "passed" : "did not pass"}</figcaption></figure>`,
  );
  return `<h2>Captured paths: ${escapeHtml(variantTitle(first))}</h2>
<p>Solid line: request. Dashed line: reply.<noscript> The drawings require JavaScript.</noscript></p>
<div class="figures">${figures.join("")}</div>`;
}

function renderTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((text) => `<td>${escapeHtml(text)}</td>`).join("")}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}
