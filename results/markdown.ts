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
    row(["component", "version"]),
    row(["---", "---"]),
    ...Object.entries(report.versions).map(([name, version]) => row([name, version])),
    "",
    ...environmentLines(report),
    ...report.variants.flatMap((variant) => variantLines(variant, report, formatRerunFlags(report, variant))),
    ...(failedChecks.length === 0
      ? []
      : [
          "## Failed checks",
          "",
          ...failedChecks.map((check) => `- **${escape(check.name)}**: ${escape(check.error ?? "")}`),
          "",
        ]),
  ].join("\n");
}

/** Renders a table of the environments if the run had several. */
function environmentLines(report: Report): readonly string[] {
  const counts = countByEnvironment(report);
  if (counts.length < 2) return [];
  return [
    row(["environment", "passed", "blocked", "failed", "predicted", "false green", "false red", "unknown"]),
    row(["---", ...Array<string>(7).fill("--:")]),
    ...counts.map(({ environment, passed, blocked, failed, predictions }) => {
      const predicted = Object.values(predictions).reduce((all, some) => all + some, 0);
      const wrong = [predictions["false-green"], predictions["false-red"], predictions.unknown];
      return row([environment, ...[passed, blocked, failed, predicted, ...wrong].map(String)]);
    }),
    "",
  ];
}

function variantLines(variant: VariantResult, run: RunIdentity, flags: string): readonly string[] {
  const [types, targets] = [getPodTypeTitles(run), getTargetTitles(run)];
  const { ok, failed, blocked } = countCells(variant);
  const wrong = variant.cells.filter((cell) => !cell.ok);
  return [
    `## ${variantTitle(variant)}`,
    "",
    row(["from \\ to", ...TARGETS.map((target) => targets[target])]),
    row(["---", ...TARGETS.map(() => ":---:")]),
    ...POD_TYPES.map((type, index) =>
      row([`**${types[type]}**`, ...(variant.table[index] ?? []).map((entry) => MARKS[entry])]),
    ),
    "",
    `${ok} of ${ok + failed} cells as expected, ${blocked} blocked as expected; ${describeNodes(variant)}; ${variant.seconds.toFixed(1)} s.`,
    "",
    ...blockedLines(variant.cells),
    ...(wrong.length === 0
      ? []
      : [
          "Not as expected:",
          "",
          ...wrong.map((cell) => `${cellLine(cell)}\n  \`${formatRerunCommand(flags, cell.id)}\``),
          "",
        ]),
  ];
}

function blockedLines(cells: readonly CellResult[]): readonly string[] {
  const blocked = cells.filter((cell) => cell.expected === "blocked" && cell.ok);
  return blocked.length === 0 ? [] : ["Blocked, as expected:", "", ...blocked.map(cellLine), ""];
}

function cellLine(cell: CellResult): string {
  return `- ${cell.source} → ${cell.target}, ${cell.placement}, ${cell.protocol} ${cell.address}: ${escape(cell.reason ?? cell.actual)}${cell.cause === undefined ? "" : `; likely cause: ${escape(cell.cause)}`}`;
}

function row(entries: readonly string[]): string {
  return `| ${entries.map((entry) => entry.replaceAll("|", "\\|")).join(" | ")} |`;
}

function escape(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll("\n", " ");
}
