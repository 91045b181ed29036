import type { VariantResult } from "./schema.ts";

/** `--kube-proxy v1.28.15 --return-path liberal` */
export function variantFlags({ kubeProxy, returnPath }: Pick<VariantResult, "kubeProxy" | "returnPath">): string {
  const mode = kubeProxy.mode === "iptables" ? "" : `/${kubeProxy.mode}`;
  return `--kube-proxy ${kubeProxy.version}${mode} --return-path ${returnPath}`;
}

/** The command that asks just this cell again, with its way. */
export function rerunCommand(flags: string, id: string): string {
  return `npm run e2e -- ${flags} --evidence all --keep --cells '^${id.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$'`;
}
