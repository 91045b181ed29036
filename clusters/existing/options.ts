import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";

/** What a run on a cluster that is there is told, from the environment as all options of a run. */
const environment = z.object({
  INTERLAY_KUBECONFIG: z.string({ error: "--provider existing needs --kubeconfig FILE" }).min(1),
  INTERLAY_CONTEXT: z.string().optional(),
  /** CIDR or `first-last` that addresses of the suite's pods come from; else Interlay's own pools. */
  INTERLAY_POOL: z.string().optional(),
});

export interface ExistingOptions {
  readonly kubeconfig: string;
  readonly context?: string;
  readonly pool?: string;
}

/** Throws in one sentence when no kubeconfig is named. */
export function existingOptions(env: NodeJS.ProcessEnv = process.env): ExistingOptions {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error("--provider existing needs --kubeconfig FILE.");
  const { INTERLAY_KUBECONFIG, INTERLAY_CONTEXT, INTERLAY_POOL } = parsed.data;
  return {
    kubeconfig: INTERLAY_KUBECONFIG,
    ...(INTERLAY_CONTEXT === undefined ? {} : { context: INTERLAY_CONTEXT }),
    ...(INTERLAY_POOL === undefined ? {} : { pool: INTERLAY_POOL }),
  };
}

/** Throws when the file has no such context. */
export function kubeConfigOf({ kubeconfig, context }: ExistingOptions): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new Error(
        `${kubeconfig} has no context "${context}": it has ${config
          .getContexts()
          .map(({ name }) => name)
          .join(", ")}.`,
      );
    config.setCurrentContext(context);
  }
  return config;
}
