import { rerunCommand, rerunFlags } from "./rerun.ts";
import type { CellResult, CheckResult, Report, VariantResult } from "./schema.ts";
import { variantTitle } from "./title.ts";

/** JUnit XML as GitHub, GitLab and Jenkins read it: a suite a variant, a case a cell; one suite for the checks. */
export function toJunit(report: Report): string {
  const suites = [
    ...report.variants.map((variant) => variantSuite(variant, rerunFlags(report.provider, variant))),
    checksSuite(report.checks),
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

function variantSuite(variant: VariantResult, flags: string): string {
  const title = variantTitle(variant);
  const failures = variant.cells.filter((cell) => !cell.ok).length;
  return suite(
    title,
    variant.cells.length,
    failures,
    0,
    variant.seconds,
    variant.cells.map((cell) => cellCase(title, cell, flags)),
  );
}

function cellCase(title: string, cell: CellResult, flags: string): string {
  const name = `[${cell.group}] ${cell.source} -> ${cell.target}, ${cell.placement}, ${cell.protocol} ${cell.address}`;
  const head = `<testcase classname="${escapeXml(title)}" name="${escapeXml(name)}" time="${(cell.latencyMs / 1000).toFixed(3)}"`;
  if (cell.ok) return `    ${head}/>`;
  const message = `expected ${cell.expected}, was ${cell.actual}${cell.reason === undefined ? "" : `: ${cell.reason}`}`;
  return `    ${head}><failure message="${escapeXml(message)}">${escapeXml(cell.cause === undefined ? "" : `likely cause: ${cell.cause}\n`)}again: ${escapeXml(rerunCommand(flags, cell.id))}</failure></testcase>`;
}

function checksSuite(checks: readonly CheckResult[]): string {
  const count = (status: CheckResult["status"]) => checks.filter((check) => check.status === status).length;
  const seconds = checks.reduce((sum, check) => sum + check.seconds, 0);
  return suite("checks", checks.length, count("failed"), count("skipped"), seconds, checks.map(checkCase));
}

function checkCase(check: CheckResult): string {
  const head = `<testcase classname="checks" name="${escapeXml(check.name)}" time="${check.seconds.toFixed(3)}"`;
  const message = escapeXml(check.error ?? "");
  if (check.status === "failed") return `    ${head}><failure message="${message}"/></testcase>`;
  return check.status === "skipped" ? `    ${head}><skipped message="${message}"/></testcase>` : `    ${head}/>`;
}

function suite(
  name: string,
  tests: number,
  failures: number,
  skipped: number,
  seconds: number,
  cases: readonly string[],
): string {
  const attributes = `name="${escapeXml(name)}" tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
  return [`  <testsuite ${attributes}>`, ...cases, "  </testsuite>"].join("\n");
}

/** Also takes out what XML 1.0 has no way to say (control characters in a program's output). */
export function escapeXml(text: string): string {
  return Array.from(text)
    .filter((character) => character >= " " || character === "\n" || character === "\t")
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
