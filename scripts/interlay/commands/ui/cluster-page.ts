import { escapeHtml } from "../../../../results/html/escape.ts";
import { renderPageHead } from "../../../../results/html/page-head.ts";
import type { ClusterView } from "./cluster-view.ts";

/** A connection in the page's form, and its trace. */
interface TracedConnection {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  /** Text of the trace, or why there is none; undefined: nothing is traced. */
  readonly text?: string;
}

const REFRESH_MS = 5000;
/** Script that replaces only the tables, so that the form keeps its values. */
const SCRIPT = `setInterval(async () => {
  const state = document.querySelector("#updated");
  try {
    const response = await fetch("/live");
    if (!response.ok) throw new Error(await response.text());
    document.querySelector("#live").innerHTML = await response.text();
    state.textContent = "Updated " + new Date().toLocaleTimeString();
  } catch (error) {
    state.textContent = "Not updated: " + error.message;
  }
}, ${REFRESH_MS});`;

/** Renders the page of a cluster: nodes, pools, pods, and the form that traces a connection between two pods. */
export function renderClusterPage(view: ClusterView, traced: TracedConnection): string {
  return `${renderPageHead("Interlay: cluster")}<body>
<main>
<h1>Interlay</h1>
<p id="updated">Updates every ${REFRESH_MS / 1000} s.</p>
<div id="live">${renderTables(view)}</div>
${renderForm(view, traced)}
</main>
<script type="module">${SCRIPT}</script>
</body>
</html>
`;
}

/** Renders the part of the page that is updated. */
export function renderTables({ status, pods }: ClusterView): string {
  const { ready, server, nodes, pools } = status;
  const problems = status.problems.map((problem) => `<li>${escapeHtml(problem)}</li>`);
  return [
    `<h2>Cluster: <span class="${ready ? "pass" : "fail"}">${ready ? "✓ ready" : "✗ not ready"}</span></h2>`,
    `<p>Kubernetes ${escapeHtml(server)}</p>`,
    problems.length === 0 ? "" : `<ul>${problems.join("")}</ul>`,
    renderTable("Nodes", ["node", "state", "version", "return path", "kube-proxy", "pods"], nodes, (node) => [
      node.name,
      node.ready ? "✓ ready" : "✗ not ready",
      node.version ?? "–",
      node.returnPath ?? "–",
      node.kubeProxy ?? "–",
      String(node.attachments),
    ]),
    renderTable(
      "Conditions that are not True",
      ["node", "condition", "reason", "message"],
      listConditions(nodes),
      (row) => row,
    ),
    renderTable("Pools", ["pool", "subnet", "total", "used", "free"], pools, ({ name, subnet, total, used, free }) => [
      name,
      subnet,
      ...[total, used, free].map((count) => String(count ?? "–")),
    ]),
    renderTable("Pods", ["pod", "type", "node", "NICs"], pods, ({ name, type, node, nics }) => [
      name,
      type,
      node,
      nics.join(", "),
    ]),
  ].join("\n");
}

function listConditions(nodes: ClusterView["status"]["nodes"]): readonly (readonly string[])[] {
  return nodes.flatMap(({ name, conditions }) =>
    conditions
      .filter(({ status }) => status !== "True")
      .map(({ type, reason, message }) => [name, type, reason, message]),
  );
}

function renderTable<Row>(
  caption: string,
  heads: readonly string[],
  rows: readonly Row[],
  toCells: (row: Row) => readonly string[],
): string {
  if (rows.length === 0) return "";
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map(
    (row) =>
      `<tr>${toCells(row)
        .map((cell) => `<td>${escapeHtml(cell)}</td>`)
        .join("")}</tr>`,
  );
  return `<table><caption>${caption} (${rows.length})</caption><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

function renderForm({ pods }: ClusterView, { from, to, port, text }: TracedConnection): string {
  const select = (id: string, label: string, chosen: string): string => {
    const options = pods.map(({ name }) => `<option${name === chosen ? " selected" : ""}>${escapeHtml(name)}</option>`);
    return `<label>${label} <select name="${id}">${options.join("")}</select></label>`;
  };
  return `<h2>Trace a connection</h2>
<form method="get" action="/"><p class="choose">
${select("from", "from", from)}
${select("to", "to", to)}
<label>TCP port <input name="port" inputmode="numeric" value="${escapeHtml(port)}" size="5"></label>
<button>Trace</button></p></form>
<p>The path is computed from the state of the kernels: no packet is sent.</p>
${text === undefined ? "" : `<pre id="trace" tabindex="0">${escapeHtml(text)}</pre>`}`;
}
