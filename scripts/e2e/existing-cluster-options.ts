import { type Command, Option } from "commander";
import { DATAPATH_FLAG, KUBECONFIG_FLAG, LIST_FLAGS, SINGLE_FLAGS } from "../../clusters/existing/option-flags.ts";
import type { Variables } from "../../e2e/support/variables.ts";

const GROUP = "Options for --provider existing:";
const VALUE_FLAGS = [KUBECONFIG_FLAG, DATAPATH_FLAG, ...SINGLE_FLAGS];

/** Adds the options for an existing cluster to a command. */
export function addExistingClusterOptions(command: Command): Command {
  for (const [flags, , description] of VALUE_FLAGS) command.addOption(new Option(flags, description).helpGroup(GROUP));
  for (const [flags, , description] of LIST_FLAGS)
    command.addOption(
      new Option(flags, description)
        .helpGroup(GROUP)
        .argParser((value, previous: readonly string[] | undefined) => [...(previous ?? []), value]),
    );
  return command
    .addOption(new Option("--yes", "run the suite there; without it, nothing is changed").helpGroup(GROUP))
    .addOption(new Option("--no-host-pods", "skip what needs pods in the host network").helpGroup(GROUP));
}

/** Returns the options for an existing cluster as variables for `parseExistingOptions`; those that are not given are left out. */
export function listExistingClusterVariables(command: Command): Variables {
  const values = command.opts<Readonly<Record<string, unknown>>>();
  const optionValues = [...VALUE_FLAGS, ...LIST_FLAGS].flatMap(([flags, variable]) => {
    const value = values[new Option(flags).attributeName()];
    if (Array.isArray(value)) return [[variable, value.join("\n")] as const];
    return typeof value === "string" ? [[variable, value] as const] : [];
  });
  return {
    ...Object.fromEntries(optionValues),
    ...(values["hostPods"] === false ? { INTERLAY_HOST_PODS: "false" } : {}),
  };
}
