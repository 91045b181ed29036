import { formatRerunCommand, formatRerunFlags } from "./rerun.ts";
import type { CellResult, CheckResult, Report, CheckStep, VariantResult } from "./schema.ts";
import { DEFAULT_ENVIRONMENT_NAME, describeNodes, variantTitle } from "./title.ts";

/**
 * Renders JUnit XML for GitHub, GitLab and Jenkins: one suite for each variant, with a case for each cell, named by its id;
 * one suite for the checks. `system-out` marks cells that are blocked as expected.
 */
export function toJunit(report: Report): string {
  const suites = [
    ...report.variants.map((variant) => renderVariantSuite(report, variant)),
    renderChecksSuite(report, report.checks),
  ];
  const { passed, failed, skipped } = report.summary;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="interlay" tests="${passed + failed + skipped}" failures="${failed}" errors="0">`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function renderVariantSuite(report: Report, variant: VariantResult): string {
  const title = variantTitle(variant);
  const flags = formatRerunFlags(report, variant);
  const name = createUniqueNames();
  return renderSuite(report, {
    name: title,
    seconds: variant.seconds,
    properties: { ...getCommonProperties(report), ...getVariantProperties(variant) },
    failures: variant.cells.filter((cell) => !cell.ok).length,
    skipped: 0,
    cases: variant.cells.map((cell) => renderCellCase(title, name(cell.id), cell, flags)),
  });
}

function renderCellCase(title: string, name: string, cell: CellResult, flags: string): string {
  const head = `testcase classname="${escapeXml(title)}" name="${escapeXml(name)}" time="${(cell.latencyMs / 1000).toFixed(3)}"`;
  const message = `expected ${cell.expected}, was ${cell.actual}${cell.reason === undefined ? "" : `: ${cell.reason}`}`;
  const cause = cell.cause === undefined ? "" : `likely cause: ${cell.cause}\n`;
  const rerun = `rerun: ${formatRerunCommand(flags, cell.id)}`;
  return renderElement(head, [
    ...(cell.ok ? [] : [`<failure message="${escapeXml(message)}">${escapeXml(cause + rerun)}</failure>`]),
    `<system-out>${escapeXml(describeCell(cell))}</system-out>`,
  ]);
}

/** Describes outcome, address and attempts of a cell. */
function describeCell({ ok, expected, actual, reason, address, attempts, resent = 0, seen }: CellResult): string {
  const outcome = ok
    ? expected === "blocked"
      ? "blocked, as expected"
      : "passed"
    : `expected ${expected}, was ${actual}`;
  return [
    `${outcome}${reason === undefined ? "" : `: ${reason}`}`,
    `address ${address}${seen === undefined ? "" : `, source seen ${seen}`}`,
    ...(attempts > 1 ? [`flaky: ${attempts} attempts`] : []),
    ...(resent > 0 ? [`flaky: ${resent} packets sent again`] : []),
  ].join("\n");
}

function renderChecksSuite(report: Report, checks: readonly CheckResult[]): string {
  const count = (status: CheckResult["status"]) => checks.filter((check) => check.status === status).length;
  const name = createUniqueNames();
  return renderSuite(report, {
    name: "checks",
    seconds: checks.reduce((sum, check) => sum + check.seconds, 0),
    properties: getCommonProperties(report),
    failures: count("failed"),
    skipped: count("skipped"),
    cases: checks.map((check) => renderCheckCase(check, name(check.name))),
  });
}

function renderCheckCase({ status, seconds, error, attempts, steps = [] }: CheckResult, name: string): string {
  const message = escapeXml(error ?? "");
  const lines = [...(attempts === undefined ? [] : [`${attempts} attempts`]), ...renderSteps(steps, "")];
  return renderElement(`testcase classname="checks" name="${escapeXml(name)}" time="${seconds.toFixed(3)}"`, [
    ...(status === "failed" ? [`<failure message="${message}"/>`] : []),
    ...(status === "skipped" ? [`<skipped message="${message}"/>`] : []),
    ...(lines.length === 0 ? [] : [`<system-out>${escapeXml(lines.join("\n"))}</system-out>`]),
  ]);
}

function renderSteps(steps: readonly CheckStep[], indent: string): readonly string[] {
  return steps.flatMap(({ name, status, seconds, steps: inner = [] }) => [
    `${indent}${status}: ${name} (${seconds.toFixed(3)} s)`,
    ...renderSteps(inner, `${indent}  `),
  ]);
}

function getCommonProperties({ id, provider, versions }: Report): Readonly<Record<string, string>> {
  const named = Object.entries(versions).map(([name, version]) => [`version.${name}`, version]);
  return { run: id, provider, ...(Object.fromEntries(named) as Record<string, string>) };
}

function getVariantProperties(variant: VariantResult): Readonly<Record<string, string>> {
  const { kubeProxy, returnPath, environment = DEFAULT_ENVIRONMENT_NAME } = variant;
  return {
    environment,
    kubeProxy: kubeProxy.version,
    proxyMode: kubeProxy.mode,
    returnPath,
    nodes: describeNodes(variant),
  };
}

function renderSuite(
  { started }: Report,
  suite: {
    readonly name: string;
    readonly seconds: number;
    readonly properties: Readonly<Record<string, string>>;
    readonly failures: number;
    readonly skipped: number;
    readonly cases: readonly string[];
  },
): string {
  const { name, seconds, properties, failures, skipped, cases } = suite;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  const timestamp = started.replace(/(\.\d+)?Z$/, ""); // in UTC; JUnit's schema has no time zone
  return [
    `  <testsuite name="${escapeXml(name)}" ${counts} time="${seconds.toFixed(3)}" timestamp="${timestamp}">`,
    "    <properties>",
    ...Object.entries(properties).map(
      ([key, value]) => `      <property name="${escapeXml(key)}" value="${escapeXml(value)}"/>`,
    ),
    "    </properties>",
    ...cases.map((testCase) => `    ${testCase}`),
    "  </testsuite>",
  ].join("\n");
}

/** Returns a function that numbers repeated names: readers merge cases of the same name. */
function createUniqueNames(): (name: string) => string {
  const seen = new Map<string, number>();
  return (name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  };
}

function renderElement(head: string, content: readonly string[]): string {
  const [name = ""] = head.split(" ");
  return content.length === 0 ? `<${head}/>` : `<${head}>${content.join("")}</${name}>`;
}

/** Escapes text for XML 1.0, and removes control characters, which it cannot express. */
function escapeXml(text: string): string {
  return Array.from(text)
    .filter((character) => character >= " " || character === "\n" || character === "\t")
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
