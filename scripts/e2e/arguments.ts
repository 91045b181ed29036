import type { Command } from "commander";

/**
 * Returns the options of a command that were given, as arguments for the same command in another process.
 * @param except names of options that are left out
 */
export function listArguments(command: Command, except: readonly string[]): readonly string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    const value: unknown = command.getOptionValue(name);
    // Two commands have the same options, and another default of --provider.
    const isNeeded = command.getOptionValueSource(name) === "cli" || name === "provider";
    if (!isNeeded || except.includes(name)) return [];
    if (typeof value === "boolean") return value === option.negate ? [] : [option.long ?? ""];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((item) => [option.long ?? "", String(item)]);
  });
}
