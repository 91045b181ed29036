import { KubeConfig } from "@kubernetes/client-node";

/** Selection of a cluster. Undefined: the default kubeconfig, or its current context. */
interface KubeConfigOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** Loads the kubeconfig and selects the context. @throws for an unknown context */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigOptions): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new Error(
        `unknown context "${context}" in ${kubeconfig ?? "the default kubeconfig"}: use one of ${config
          .getContexts()
          .map(({ name }) => name)
          .join(", ")}.`,
      );
    config.setCurrentContext(context);
  }
  return config;
}
