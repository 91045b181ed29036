import { describePattern, type Finding } from "./finding.ts";

const TITLES = { fails: "FAILS", start: "NO START", warning: "warning" } as const;
const ORDER = ["fails", "start", "warning"] as const;

/** Renders the findings for people, the most severe first. */
export function renderFindings(findings: readonly Finding[], nodes: number): string {
  const summary = `${nodes} ${nodes === 1 ? "node" : "nodes"} checked, no packet sent`;
  if (findings.length === 0) return `Every cell is predicted to pass: ${summary}.\n`;
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const entries = sorted.map(({ severity, check, message, remedy, cells }) =>
    [
      `${TITLES[severity]} ${check}: ${message}`,
      ...cells.map((cell) => `    ${describePattern(cell)}`),
      `  -> ${remedy}`,
    ].join("\n"),
  );
  const fails = findings.filter(({ severity }) => severity === "fails").length;
  return `${entries.join("\n")}\n${findings.length} findings, ${fails} of them make cells fail: ${summary}.\n`;
}
