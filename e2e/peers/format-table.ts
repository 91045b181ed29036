import Table from "cli-table3";
import { countSpecs, type PeerRun } from "./spec-result.ts";

/** Formats a table of pod types, then a line for each spec that failed or was skipped. */
export function formatPeerTable(runs: readonly PeerRun[]): string {
  const table = new Table({
    head: ["suite", "every pod is", "passed", "failed", "skipped", "seconds"],
    style: { head: [], border: [] },
  });
  for (const run of runs) {
    const { passed, failed, skipped } = countSpecs(run);
    table.push([run.suite, run.podType, passed, failed, skipped, Math.round(run.seconds)]);
  }
  const lines = runs.flatMap((run) =>
    run.specs
      .filter(({ status }) => status !== "passed")
      .map(({ status, name, error }) => `${status}: ${run.podType}, ${name}: ${firstLine(error)}`),
  );
  return [table.toString(), ...lines].join("\n");
}

function firstLine(text = ""): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? "";
}
