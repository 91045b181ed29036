import type { Provider } from "./provider.ts";
import { PROVIDER_NAMES } from "./provider-name.ts";

/** Returns the provider of a name. Loads only what this provider needs. Throws for an unknown name. */
export async function loadProvider(name: string): Promise<Provider> {
  switch (name) {
    case "kind":
      return (await import("./kind/kind.ts")).kindProvider;
    case "lab":
      return (await import("./lab/lab.ts")).labProvider;
    case "existing":
      return (await import("./existing/existing.ts")).existingProvider;
    default:
      throw new Error(`Unknown provider "${name}": use ${PROVIDER_NAMES.join(", ")}.`);
  }
}
