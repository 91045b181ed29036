import type { KubeConfig } from "@kubernetes/client-node";
import { type Command, InvalidArgumentError, Option } from "commander";

const GROUP = "Global options:";
/** Formats of `--output`. */
const FORMATS = ["table", "json", "yaml"] as const;
export type OutputFormat = (typeof FORMATS)[number];

/** Options of every command. */
export interface CommonFlags {
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: boolean;
}

/** Options of commands that use a cluster. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Global options by name; each command has those that it uses. */
const OPTIONS = {
  kubeconfig: () =>
    new Option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)"),
  context: () => new Option("--context <name>", "context of the kubeconfig (default: its current context)"),
  namespace: () =>
    new Option("-n, --namespace <name>", "namespace of the pods that are named without one (default: default)"),
  output: () => new Option("-o, --output <format>", "format of the result on stdout").choices(FORMATS).default("table"),
  timeout: () => new Option("--timeout <seconds>", "time limit").argParser(parseSeconds).default(120),
  yes: () => new Option("--yes", "do not ask for confirmation"),
  quiet: () => new Option("-q, --quiet", "no progress on stderr"),
  verbose: () => new Option("-v, --verbose", "print the cause and the stack of an error"),
  color: () => new Option("--no-color", "no colours, like NO_COLOR=1"),
} as const;
export type GlobalOption = keyof typeof OPTIONS;

/** Adds global options to a command, in a group of their own in its help. */
export function addGlobalOptions(command: Command, names: readonly GlobalOption[]): Command {
  for (const name of names) command.addOption(OPTIONS[name]().helpGroup(GROUP));
  return command;
}

/** Adds `--kubeconfig` and `--context`. */
export function addClusterOptions(command: Command): Command {
  return addGlobalOptions(command, ["kubeconfig", "context"]);
}

/** Adds all global options to a command that has subcommands: hidden in the help, and without defaults. */
export function addInheritedOptions(command: Command): Command {
  for (const [name, create] of Object.entries(OPTIONS)) {
    const option = create();
    if (name !== "color") option.default(undefined);
    command.addOption(option.hideHelp());
  }
  return command;
}

/** Adds the options of every command. */
export function addCommonOptions(command: Command): Command {
  return addGlobalOptions(command, ["quiet", "verbose", "color"]);
}

/**
 * Copies the global options that stand before a subcommand to it: `interlay --context a status`.
 * @throws an error if the command has no such option
 */
export function inheritOptions(command: Command): void {
  for (let parent = command.parent; parent !== null; parent = parent.parent)
    for (const option of parent.options) {
      const name = option.attributeName();
      if (parent.getOptionValueSource(name) !== "cli" || name === "version") continue;
      if (!command.options.some((candidate) => candidate.attributeName() === name))
        command.error(`error: option ${option.long ?? name} does not apply to ${command.name()}`);
      if (command.getOptionValueSource(name) !== "cli")
        command.setOptionValueWithSource(name, parent.getOptionValue(name), "cli");
    }
}

/** Loads the kubeconfig of the options. @throws an error for an unknown context or without a kubeconfig */
export async function loadCluster(flags: ClusterFlags): Promise<KubeConfig> {
  const { loadKubeConfig } = await import("../../../clusters/kubernetes/load-kube-config.ts");
  return loadKubeConfig(flags);
}

/** Parses a number of seconds. @throws an error that commander prints */
function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !Number.isFinite(seconds) || seconds < 0)
    throw new InvalidArgumentError("a number of seconds is needed.");
  return seconds;
}
