import type { Command } from "commander";
import { DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import type { Environment } from "../../clusters/spec/environment.ts";
import type { Variables } from "../../e2e/support/variables.ts";
import { type Flags, listVariables } from "./e2e-command.ts";
import { listExistingClusterVariables } from "./existing-cluster-options.ts";

/** The only variant of an environment, unless another one is named. */
const ENVIRONMENT_VARIANT = { kubeProxy: DEFAULT_SPEC.kubeProxy.version, returnPath: "notrack" } as const;

/**
 * Returns the variables of a run: options of the command line, else the process environment, else the environment's own.
 * @param command `e2e` after it has parsed its arguments
 */
export function readRunVariables(command: Command, environment: Environment | undefined): Variables {
  const flags = command.opts<Flags>();
  const isDefaultFamily = command.getOptionValueSource("family") === "default";
  const family = isDefaultFamily ? (environment?.families ?? flags.family) : flags.family;
  const requested = environment === undefined ? flags : { ...ENVIRONMENT_VARIANT, ...flags };
  return {
    ...process.env,
    ...listVariables(requested, { environment: environment?.name, family }),
    ...listExistingClusterVariables(command),
  };
}
