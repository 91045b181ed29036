/** Names of the providers for `--provider`. */
export const PROVIDER_NAMES = ["kind", "lab", "existing"] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];
