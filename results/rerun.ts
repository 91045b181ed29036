import type { Report } from "./schema.ts";
import { DEFAULT_ENVIRONMENT_NAME, type VariantIdentity } from "./title.ts";

/** `--kube-proxy v1.28.15 --return-path liberal` */
export function variantFlags({ kubeProxy, returnPath, environment }: VariantIdentity): string {
  const mode = kubeProxy.mode === "iptables" ? "" : `/${kubeProxy.mode}`;
  const where =
    environment === undefined || environment === DEFAULT_ENVIRONMENT_NAME ? "" : `--environment ${environment} `;
  return `${where}--kube-proxy ${kubeProxy.version}${mode} --return-path ${returnPath}`;
}

/** With the provider, where it is not the one that is taken anyway. */
export function rerunFlags(provider: Report["provider"], variant: VariantIdentity): string {
  return `${provider === "kind" ? "" : `--provider ${provider} `}${variantFlags(variant)}`;
}

/** The command that asks just this cell again, with its way. */
export function rerunCommand(flags: string, id: string): string {
  const family = id.endsWith("/ipv6") ? " --family dual" : "";
  return `npm run e2e -- ${flags}${family} --evidence all --keep --cells '^${id.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$'`;
}
