import type { Certificate } from "../certificate/certificate-schema.ts";
import { formatSuiteVersion } from "../component-schema.ts";
import { escapeHtml } from "./escape.ts";
import { renderPageHead } from "./page-head.ts";

/** A submission on the page of results. */
export interface PublishedSubmission {
  /** Directory of the submission, relative to the page. */
  readonly directory: string;
  /** Undefined if certificate.json cannot be read. */
  readonly certificate?: Certificate;
  readonly keyids: readonly string[];
  /** Problems that the verification found; such a submission has no result. */
  readonly problems: readonly string[];
}

/** Hides the rows that do not have the chosen component version. The choice is also in the address. */
const SCRIPT = `
const select = document.getElementById("version");
const rows = [...document.querySelectorAll("tr[data-versions]")];
const show = () => {
  for (const row of rows) row.hidden = select.value !== "" && !JSON.parse(row.dataset.versions).includes(select.value);
  document.getElementById("count").textContent = rows.filter((row) => !row.hidden).length + " of " + rows.length;
};
select.value = decodeURIComponent(location.hash.slice(1));
if (select.selectedIndex < 0) select.value = "";
select.addEventListener("change", () => { location.hash = encodeURIComponent(select.value); show(); });
show();
`;

/** Renders the page of submissions, newest first, with a filter by component version. It needs no network. */
export function renderResultsPage(submissions: readonly PublishedSubmission[]): string {
  const ordered = [...submissions].sort((a, b) => getIssued(b).localeCompare(getIssued(a)));
  const versions = new Set(submissions.flatMap(listComponentVersions));
  const options = [...versions].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const heads = ["product", "result", "profiles", "components", "provider", "suite", "issued", "signed with"];
  return `${renderPageHead("Certified products")}<body>
<main>
<h1>Certified products</h1>
<p>Each result was recomputed from the submission's raw results when this page was written.</p>
<p class="choose"><label>Component version <select id="version"><option value="">all</option>${options
    .map((version) => `<option>${escapeHtml(version)}</option>`)
    .join("")}</select></label> <span id="count" role="status">${submissions.length} of ${submissions.length}</span></p>
<table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>
<tbody>
${ordered.map(renderRow).join("\n")}
</tbody></table></main>
<script type="module">${SCRIPT}</script>
</body>
</html>
`;
}

/** Lists versions as `calico v3.28.5`, and the versions of kube-proxy that were tested. */
export function listComponentVersions({ certificate }: PublishedSubmission): readonly string[] {
  if (certificate === undefined) return [];
  const versions = Object.entries(certificate.versions).map(([name, version]) => `${name} ${version}`);
  const kubeProxies = certificate.variants.map(
    ({ kubeProxy }) => `kube-proxy ${kubeProxy.version} (${kubeProxy.mode})`,
  );
  return [...new Set([...versions, ...kubeProxies])];
}

function renderRow(submission: PublishedSubmission): string {
  const { directory, certificate, keyids, problems } = submission;
  const versions = listComponentVersions(submission);
  const start = `<tr data-versions="${escapeHtml(JSON.stringify(versions))}">`;
  const link = (text: string) =>
    `<a href="${escapeHtml(encodeURI(directory))}/certificate.html">${escapeHtml(text)}</a>`;
  const [problem] = problems;
  const rejected =
    problem === undefined
      ? undefined
      : `<span class="fail">rejected</span>: ${escapeHtml(problem)}${problems.length > 1 ? ` and ${problems.length - 1} more` : ""}`;
  if (certificate === undefined)
    return `${start}<th scope="row">${escapeHtml(directory)}</th><td colspan="7">${rejected ?? ""}</td></tr>`;
  const { product, result, profiles, provider, suite, issued } = certificate;
  const passed = profiles.filter((profile) => profile.claimed && profile.result === "pass").map(({ name }) => name);
  const cells = [
    rejected ?? `<span class="${result}">${result}</span>`,
    rejected === undefined ? escapeHtml(passed.join(", ")) : "",
    escapeHtml(versions.join(", ")),
    escapeHtml(provider),
    escapeHtml(formatSuiteVersion(suite)),
    `<time>${escapeHtml(issued.slice(0, 10))}</time>`,
    keyids.length === 0 ? "not signed" : `<code>${escapeHtml(keyids.join(", "))}</code>`,
  ];
  const title = `${product.vendor} ${product.name} ${product.version}`;
  return `${start}<th scope="row">${link(title)}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function getIssued({ certificate }: PublishedSubmission): string {
  return certificate?.issued ?? "";
}
