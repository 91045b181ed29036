import { resolveComponents } from "../../clusters/components/resolve.ts";
import { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";

/** Returns kubectl in the cluster's version, as an operator uses it. */
export async function createKubectl({ spec, kubeconfig }: Cluster): Promise<Kubectl> {
  const components = await resolveComponents([{ name: "kubectl", version: spec.kubernetes }], createPlainProgress());
  return new Kubectl(components.path("kubectl"), kubeconfig);
}
