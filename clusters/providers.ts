import type { ExistingOptions } from "./existing/existing-options.ts";
import { PROVIDER_NAMES } from "./spec/provider-name.ts";
import type { Provider } from "./provider/provider.ts";

/**
 * Loads a provider, without the modules of the others.
 * @param existing options of provider `existing`; undefined: from the environment
 * @throws an error for an unknown name
 */
export async function loadProvider(name: string, existing?: ExistingOptions): Promise<Provider> {
  switch (name) {
    case "kind":
      return (await import("./kind/kind.ts")).kindProvider;
    case "lab":
      return (await import("./lab/lab.ts")).labProvider;
    case "existing":
      return (await import("./existing/existing.ts")).createExistingProvider(existing);
    default:
      throw new Error(`Unknown provider "${name}": use ${PROVIDER_NAMES.join(", ")}.`);
  }
}
