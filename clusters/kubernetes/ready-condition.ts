interface Status {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined;
}

/** Whether a pod's or a node's own condition `Ready` holds; not where nobody has told it yet. */
export function reportsReady(status: Status | undefined): boolean {
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
}
