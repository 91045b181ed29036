import { CoreV1Api, type KubeConfig, type V1Secret } from "@kubernetes/client-node";
import type { AppliedObject } from "../kubernetes/server-side-apply.ts";
import { ignoreStatus } from "../kubernetes/status-code.ts";
import type { PullSecret } from "../spec/pod-settings.ts";
import { OWNER_LABEL } from "../provider/provider.ts";

/**
 * Reads secrets that the run copies into its namespaces.
 *
 * @param names as `NAMESPACE/NAME`
 * @throws for a secret that does not exist
 */
export async function readPullSecrets(config: KubeConfig, names: readonly string[]): Promise<readonly PullSecret[]> {
  const core = config.makeApiClient(CoreV1Api);
  return Promise.all(
    names.map(async (path) => {
      const [namespace = "", name = ""] = path.split("/");
      const secret = await core.readNamespacedSecret({ namespace, name }).catch(ignoreStatus(404));
      if (secret === undefined) throw new Error(`--pull-secret ${path}: the secret does not exist`);
      return { name, type: secret.type ?? "Opaque", data: secret.data ?? {} };
    }),
  );
}

/** Returns the object of a secret, with the suite's label. Pure. */
export function buildSecret({ name, type, data }: PullSecret, namespace: string): V1Secret & AppliedObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: Object.assign({}, { name, namespace, labels: { [OWNER_LABEL]: "e2e" } }),
    type,
    data: { ...data },
  };
}

/** Creates secrets in a namespace; existing ones stay. */
export async function createPullSecrets(
  config: KubeConfig,
  namespace: string,
  secrets: readonly PullSecret[],
): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  for (const secret of secrets)
    await core.createNamespacedSecret({ namespace, body: buildSecret(secret, namespace) }).catch(ignoreStatus(409));
}
