import type { ReturnPath } from "../../datapath/facts.ts";
import { isBelow129 } from "./kube-proxy-gate.ts";
import type { KubeProxyState } from "./kube-proxy-observer.ts";

/** After a restart it has this long to write its rules anew, in milliseconds. */
export const RESTART_AGAIN_MS = 60_000;

/**
 * Would a restart of kube-proxy help? From v1.29 it reads the sysctl at its start, and leaves its INVALID rule out when
 * it is 1. Pure.
 */
export function restartHelps(
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
