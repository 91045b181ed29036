import type { Environment } from "../../clusters/spec/environment.ts";
import { DEFAULT_ENVIRONMENT, findEnvironment } from "../../clusters/environments/registry.ts";
import type { Variant } from "./gate.ts";

/** Returns the environment of a variant. @throws an error if its name is unknown */
export function getEnvironment({ environment }: Variant): Environment {
  return environment === undefined ? DEFAULT_ENVIRONMENT : findEnvironment(environment);
}
