import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import type { AdmissionVersion } from "../../plugin/deploy/render-installation.ts";
import { KubeClient } from "../../plugin/kubernetes/kube-client.ts";

const GROUP = "/apis/admissionregistration.k8s.io";
const VERSIONS: readonly AdmissionVersion[] = ["v1", "v1beta1"];
const resourceList = z.object({ resources: z.array(z.object({ name: z.string() })) });

/**
 * Finds the version of the API in which the API server serves ValidatingAdmissionPolicy: v1 from Kubernetes v1.30, v1beta1 before if
 * it is enabled.
 *
 * @param readPath reads a path of the API server as JSON; throws where nothing is served
 * @returns undefined if it is not served
 */
export async function findAdmissionVersion(
  readPath: (path: string) => Promise<unknown>,
): Promise<AdmissionVersion | undefined> {
  for (const version of VERSIONS) {
    const list = resourceList.safeParse(await readPath(`${GROUP}/${version}`).catch(() => undefined));
    if (list.data?.resources.some(({ name }) => name === "validatingadmissionpolicies") === true) return version;
  }
  return undefined;
}

/** Returns the API version in which a cluster serves ValidatingAdmissionPolicy; undefined if it does not. */
export function readAdmissionVersion(config: KubeConfig): Promise<AdmissionVersion | undefined> {
  const client = new KubeClient(config);
  return findAdmissionVersion((path) => client.request("GET", path));
}
