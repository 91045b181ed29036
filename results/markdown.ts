import { countByEnvironment } from "./count-by-environment.ts";
import { formatRerunCommand, formatRerunFlags } from "./rerun.ts";
import { type CellResult, POD_TYPES, type Report, TARGETS, type VariantResult } from "./schema.ts";
import {
  countCells,
  describeNodes,
  getPodTypeTitles,
  getReportTitle,
  getTargetTitles,
  type RunIdentity,
  variantTitle,
} from "./title.ts";

const MARKS = { pass: "✅ pass", blocked: "⛔ blocked", fail: "❌ fail", "not-run": "–" } as const;

/** Renders the report for a pull request or the summary of a CI step. */
export function toMarkdown(report: Report): string {
  const { passed, failed, skipped } = report.summary;
  const failedChecks = report.checks.filter((check) => check.status === "failed");
  return [
    `# ${getReportTitle(report)}: ${failed === 0 ? "passed" : "failed"}`,
    "",
    `${passed} passed, ${failed} failed, ${skipped} skipped · ${report.provider} · ${report.started}`,
    "",
    renderRow(["component", "version"]),
    renderRow(["---", "---"]),
    ...Object.entries(report.versions).map(([name, version]) => renderRow([name, version])),
    "",
    ...environmentLines(report),
    ...report.variants.flatMap((variant) => renderVariant(variant, report, formatRerunFlags(report, variant))),
    ...(failedChecks.length === 0
      ? []
      : [
          "## Failed checks",
          "",
          ...failedChecks.map((check) => `- **${escapeText(check.name)}**: ${escapeText(check.error ?? "")}`),
          "",
        ]),
  ].join("\n");
}

/** Renders a table of the environments if the run had several. */
function environmentLines(report: Report): readonly string[] {
  const counts = countByEnvironment(report);
  if (counts.length < 2) return [];
  return [
    renderRow(["environment", "passed", "blocked", "failed", "predicted", "false green", "false red", "unknown"]),
    renderRow(["---", ...Array<string>(7).fill("--:")]),
    ...counts.map(({ environment, passed, blocked, failed, predictions }) => {
      const predicted = Object.values(predictions).reduce((sum, count) => sum + count, 0);
      const wrong = [predictions["false-green"], predictions["false-red"], predictions.unknown];
      return renderRow([environment, ...[passed, blocked, failed, predicted, ...wrong].map(String)]);
    }),
    "",
  ];
}

function renderVariant(variant: VariantResult, run: RunIdentity, flags: string): readonly string[] {
  const [types, targets] = [getPodTypeTitles(run), getTargetTitles(run)];
  const { ok, failed, blocked } = countCells(variant);
  const wrong = variant.cells.filter((cell) => !cell.ok);
  return [
    `## ${variantTitle(variant)}`,
    "",
    renderRow(["from \\ to", ...TARGETS.map((target) => targets[target])]),
    renderRow(["---", ...TARGETS.map(() => ":---:")]),
    ...POD_TYPES.map((type, index) =>
      renderRow([`**${types[type]}**`, ...(variant.table[index] ?? []).map((entry) => MARKS[entry])]),
    ),
    "",
    `${ok} of ${ok + failed} cells as expected, ${blocked} blocked as expected; ${describeNodes(variant)}; ${variant.seconds.toFixed(1)} s.`,
    "",
    ...renderBlocked(variant.cells),
    ...(wrong.length === 0
      ? []
      : [
          "Not as expected:",
          "",
          ...wrong.map((cell) => `${renderCell(cell)}\n  \`${formatRerunCommand(flags, cell.id)}\``),
          "",
        ]),
  ];
}

function renderBlocked(cells: readonly CellResult[]): readonly string[] {
  const blocked = cells.filter((cell) => cell.expected === "blocked" && cell.ok);
  return blocked.length === 0 ? [] : ["Blocked, as expected:", "", ...blocked.map(renderCell), ""];
}

function renderCell(cell: CellResult): string {
  return `- ${cell.source} → ${cell.target}, ${cell.placement}, ${cell.protocol} ${cell.address}: ${escapeText(cell.reason ?? cell.actual)}${cell.cause === undefined ? "" : `; likely cause: ${escapeText(cell.cause)}`}`;
}

function renderRow(entries: readonly string[]): string {
  return `| ${entries.map((entry) => entry.replaceAll("|", "\\|")).join(" | ")} |`;
}

function escapeText(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll("\n", " ");
}
