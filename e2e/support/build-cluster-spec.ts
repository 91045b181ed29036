import { DEFAULT_ENVIRONMENT } from "../../clusters/environments/registry.ts";
import { type ClusterSpec, DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import { createDefaultSpec, setFamilies } from "../../clusters/spec/address-ranges.ts";
import { buildProbe } from "../probe/build-probe.ts";
import type { RunOptions } from "./run-options.ts";

/** Node names append `-control-plane` to it, and host names have at most 64 characters. */
const CLUSTER_NAME = /^[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?$/;

/**
 * Returns the specification of the cluster for a run, and builds the probe for it.
 * @throws for an invalid cluster name
 */
export async function buildClusterSpec(options: RunOptions): Promise<ClusterSpec> {
  const { variants, workers, name, kubernetes, family, environment } = options;
  if (!CLUSTER_NAME.test(name))
    throw new Error(
      `invalid cluster name "${name}": use at most 48 lower case letters, digits and hyphens, with a letter or digit at both ends`,
    );
  return {
    ...setFamilies(createDefaultSpec(), family),
    name,
    kubernetes,
    workers,
    kubeProxy: variants[0]?.kubeProxy ?? DEFAULT_SPEC.kubeProxy,
    kubeProxies: variants.map(({ kubeProxy }) => kubeProxy),
    // The default cluster is the same with and without its name.
    ...(environment === undefined || environment === DEFAULT_ENVIRONMENT ? {} : { environment }),
    probe: await buildProbe(),
  };
}
