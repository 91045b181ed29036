import { stringify } from "yaml";
import type { OutputFormat } from "./common-options.ts";

/**
 * Formats the result of a command, with a line break at its end.
 * @param value the result for `json` and `yaml`
 * @param renderTable returns the text for `table`
 */
export function formatOutput(format: OutputFormat, value: unknown, renderTable: () => string): string {
  if (format === "json") return `${JSON.stringify(value, undefined, 2)}\n`;
  if (format === "yaml") return stringify(value);
  const text = renderTable();
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** Prints the result of a command on stdout. */
export function printOutput(format: OutputFormat, value: unknown, renderTable: () => string): void {
  process.stdout.write(formatOutput(format, value, renderTable));
}
