import type { Provider } from "./provider.ts";

export const PROVIDER_NAMES = ["kind", "lab", "existing"] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** The provider of that name; what only another one needs is not loaded. Throws on a name that is none. */
export async function loadProvider(name: string): Promise<Provider> {
  switch (name) {
    case "kind":
      return (await import("./kind/kind.ts")).kindProvider;
    case "lab":
      return (await import("./lab/lab.ts")).labProvider;
    case "existing":
      return (await import("./existing/existing.ts")).existingProvider;
    default:
      throw new Error(`There is no provider "${name}": use ${PROVIDER_NAMES.join(" or ")}.`);
  }
}
