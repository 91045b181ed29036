import { LIST_FLAGS, SINGLE_FLAGS } from "../../clusters/existing/option-flags.ts";
import type { ProviderName } from "../../clusters/spec/provider-name.ts";
import type { Variables } from "./variables.ts";

/** Options of every provider, with the default that need not be repeated. */
const COMMON = [
  ["--name", "INTERLAY_CLUSTER", "interlay"],
  ["--nodes", "INTERLAY_NODES", "2"],
  ["--family", "INTERLAY_FAMILY", "ipv4"],
] as const;

/**
 * Returns the options of `npm run e2e` that a rerun repeats in addition to those of the variant. The kubeconfig is left out: a
 * report goes to others.
 *
 * @param from options of the run, also those that were given as environment variables
 */
export function listRerunOptions(from: Variables, provider: ProviderName): readonly string[] {
  // An existing cluster has its own families, and its name is that of the kubeconfig.
  const common = COMMON.filter(([flag]) => provider !== "existing" || flag === "--nodes");
  const changed = common.flatMap(([flag, variable, defaultValue]) => {
    const value = from[variable] ?? defaultValue;
    // The default of an environment is another one.
    const isDefault = value === defaultValue && (flag !== "--family" || from["INTERLAY_ENVIRONMENT"] === undefined);
    return isDefault ? [] : [flag, value];
  });
  if (provider !== "existing") return changed;
  const repeatFlag = (flags: string, values: readonly string[]) =>
    values.filter((value) => value !== "").flatMap((value) => [flags.split(" ")[0] ?? flags, value]);
  return [
    ...changed,
    ...SINGLE_FLAGS.flatMap(([flags, variable]) => repeatFlag(flags, [from[variable] ?? ""])),
    ...LIST_FLAGS.flatMap(([flags, variable]) => repeatFlag(flags, (from[variable] ?? "").split("\n"))),
    ...(from["INTERLAY_HOST_PODS"] === "false" ? ["--no-host-pods"] : []),
    ...listNamedKubeProxy(from),
  ];
}

/** Returns the flag for a kube-proxy that was not found in the cluster and that the user named. */
function listNamedKubeProxy({ INTERLAY_KUBE_PROXY_NAMED: named }: Variables): readonly string[] {
  return named === undefined ? [] : ["--kube-proxy", named];
}
