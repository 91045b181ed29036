import { KubeError } from "../../plugin/kubernetes/kube-error.ts";

/** Returns the HTTP status of an API server's error, of client-node or of KubeClient; undefined for any other error. */
export function getStatusCode(error: unknown): number | undefined {
  if (error instanceof KubeError) return error.status;
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number"
    ? error.code
    : undefined;
}

/** Returns a handler for `catch` that turns errors with these statuses into undefined, and throws all others. */
export function ignoreStatus(...statuses: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (!statuses.includes(getStatusCode(error) ?? 0)) throw error;
    return undefined;
  };
}
