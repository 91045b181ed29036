import type { CellResult, Report } from "./schema.ts";
import { DEFAULT_ENVIRONMENT_NAME, type VariantIdentity } from "./title.ts";

/** Default number of workers of `npm run e2e`. */
const DEFAULT_WORKERS = 2;

/** Properties of a run that its rerun command repeats. */
export type RerunSource = Pick<Report, "provider" | "datapath" | "options"> & {
  readonly versions: Readonly<Record<string, string>>;
};
export type RerunVariant = VariantIdentity & { readonly cells: readonly Pick<CellResult, "id" | "family">[] };

/** Formats the flags that select a variant, such as `--kube-proxy v1.28.15 --return-path liberal`. */
export function formatVariantFlags({ kubeProxy, returnPath, environment }: VariantIdentity): string {
  const mode = kubeProxy.mode === "iptables" ? "" : `/${kubeProxy.mode}`;
  const environmentFlag =
    environment === undefined || environment === DEFAULT_ENVIRONMENT_NAME ? "" : `--environment ${environment} `;
  return `${environmentFlag}--kube-proxy ${kubeProxy.version}${mode} --return-path ${returnPath}`;
}

/**
 * Returns the flags of `npm run e2e` that create the same variant: provider, Kubernetes version, options of the run, environment,
 * kube-proxy and return path. For an existing cluster, kube-proxy cannot be chosen, and the kubeconfig, which a report does not
 * contain, comes from $KUBECONFIG.
 */
export function formatRerunFlags(source: RerunSource, variant: RerunVariant): string {
  const { provider, datapath, versions } = source;
  const options = (source.options ?? guessOptions(provider, variant.cells)).map(quoteWord).join(" ");
  const { kubernetes } = versions;
  const flags =
    provider === "existing"
      ? [
          '--provider existing --kubeconfig "$KUBECONFIG" --yes',
          options,
          datapath === "none" ? `--datapath none --return-path ${variant.returnPath}` : "",
        ]
      : [
          provider === "kind" ? "" : `--provider ${provider}`,
          kubernetes === undefined ? "" : `--kubernetes ${kubernetes}`,
          options,
          // The default of an environment is not an option of the run.
          source.options === undefined || source.options.includes("--family") ? "" : formatFamily(variant),
          formatVariantFlags(variant),
        ];
  return flags.filter((flag) => flag !== "").join(" ");
}

/** Returns the options of a run whose report has none, by its cells. */
function guessOptions(provider: RerunSource["provider"], cells: RerunVariant["cells"]): readonly string[] {
  const workers = countWorkers(cells);
  const nodes = workers > DEFAULT_WORKERS ? ["--nodes", String(workers)] : [];
  return provider === "existing"
    ? nodes
    : [
        ...nodes,
        ...formatFamily({ cells })
          .split(" ")
          .filter((word) => word !== ""),
      ];
}

/** IPv4 is the default, but not that of every environment. */
function formatFamily({ cells, environment = DEFAULT_ENVIRONMENT_NAME }: Pick<RerunVariant, "cells" | "environment">) {
  const family = findFamily(cells);
  return family === "ipv4" && environment === DEFAULT_ENVIRONMENT_NAME ? "" : `--family ${family}`;
}

/** Quotes a word for a shell where necessary. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Returns the command that runs only this cell again, with captures of its packets where possible. */
export function formatRerunCommand(flags: string, id: string): string {
  const evidence = flags.includes("--provider existing") ? "" : " --evidence all";
  return `npm run e2e -- ${flags}${evidence} --keep --cells '^${id.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$'`;
}

/** Returns the highest number of a worker in the cells' ids. */
function countWorkers(cells: RerunVariant["cells"]): number {
  const numbers = cells.flatMap(({ id }) =>
    [...id.matchAll(/(?:overlay|underlay|multi-nic|node)-(\d+)\b/g)].map(([, number]) => Number(number)),
  );
  return Math.max(0, ...numbers);
}

/** Returns `dual` if ids end with the second family. */
function findFamily(cells: RerunVariant["cells"]): "ipv4" | "ipv6" | "dual" {
  if (cells.some(({ id }) => id.endsWith("/ipv6"))) return "dual";
  return cells.some(({ family }) => family === "ipv6") ? "ipv6" : "ipv4";
}
