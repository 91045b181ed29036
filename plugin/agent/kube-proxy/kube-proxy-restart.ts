import type { ReturnPath } from "../../datapath/facts.ts";
import { isBelow129 } from "./kube-proxy-gate.ts";
import type { KubeProxyState } from "./kube-proxy-observer.ts";

/** Time that kube-proxy gets after a restart to write its rules again, in milliseconds. */
export const RESTART_INTERVAL_MS = 60_000;

/**
 * Reports whether a restart of kube-proxy helps. From v1.29 it reads the sysctl at its start, and leaves its INVALID rule out when
 * it is 1. Pure.
 */
export function isRestartUseful(
  returnPath: ReturnPath | undefined,
  tcpBeLiberal: 0 | 1,
  kubeProxy: KubeProxyState,
): boolean {
  return (
    returnPath === "liberal" &&
    tcpBeLiberal === 1 &&
    kubeProxy.invalidDropRule &&
    kubeProxy.version !== null &&
    !isBelow129(kubeProxy.version)
  );
}
