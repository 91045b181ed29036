import Table from "cli-table3";
import type { InstallationStatus } from "./installation-status.ts";

/** Renders the status as tables for people: agents, nodes, pools, and each problem in a line. */
export function renderStatus({ ready, problems, server, agents, nodes, pools }: InstallationStatus): string {
  const lines = [`Kubernetes ${server}`];
  if (agents !== undefined) {
    lines.push(`agents     ${agents.ready} of ${agents.desired} ready, image ${agents.image}`);
    lines.push(
      renderTable(
        ["NODE", "READY", "VERSION", "RETURN PATH", "KUBE-PROXY", "PODS"],
        nodes.map((node) => [
          node.name,
          node.ready ? "yes" : "no",
          node.version ?? "-",
          node.returnPath ?? "-",
          node.kubeProxy ?? "-",
          String(node.attachments),
        ]),
      ),
    );
  }
  if (pools.length > 0)
    lines.push(
      renderTable(
        ["POOL", "SUBNET", "TOTAL", "USED", "FREE"],
        pools.map(({ name, subnet, total, used, free }) => [
          name,
          subnet,
          ...[total, used, free].map((count) => (count === undefined ? "-" : String(count))),
        ]),
      ),
    );
  if (nodes.length > 0 || pools.length > 0) lines.push("");
  return [
    ...lines,
    ready ? "Interlay is ready." : "Interlay is not ready:",
    ...problems.map((problem) => `  ${problem}`),
  ].join("\n");
}

const BORDERS = [
  ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid"],
];

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const chars = { ...Object.fromEntries(BORDERS.map((name) => [name, ""])), middle: "  " };
  const style = { head: [], border: [], "padding-left": 0, "padding-right": 0 };
  const table = new Table({ chars, style });
  table.push([...head], ...rows.map((row) => [...row]));
  return `\n${table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}`;
}
