import pRetry from "p-retry";
import { pathExists } from "../components/path-exists.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";

/** On a busy machine the API server of a kept cluster may need a minute for its first answer. */
const RETRY = { retries: 5, factor: 1, minTimeout: 2000 };
const REQUEST_TIMEOUT = "10s";

/**
 * Returns the number of nodes that have joined a cluster: 0 if the kubeconfig, which its creation writes, does not exist, and if
 * the API server does not answer.
 * @param kubeconfig path of the cluster's kubeconfig
 */
export async function countJoinedNodes(
  kubectl: Pick<Kubectl, "run">,
  kubeconfig: string,
  retry: Readonly<typeof RETRY> = RETRY,
): Promise<number> {
  if (!(await pathExists(kubeconfig))) return 0;
  return pRetry(() => kubectl.run(["get", "nodes", "-o", "name", `--request-timeout=${REQUEST_TIMEOUT}`]), retry).then(
    (names) => names.trim().split("\n").filter(Boolean).length,
    () => 0,
  );
}
