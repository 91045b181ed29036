/** What the suite does with the cluster; each is asked for by a SelfSubjectAccessReview. */
export interface Right {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly words: string;
}

export const RIGHTS: readonly Right[] = [
  { verb: "create", resource: "namespaces", words: "create namespaces" },
  { verb: "delete", resource: "namespaces", words: "delete namespaces" },
  { verb: "create", resource: "pods", words: "create pods" },
  { verb: "create", resource: "services", words: "create Services" },
  { verb: "create", resource: "pods", subresource: "exec", words: "run programs in pods (pods/exec)" },
  { verb: "list", resource: "nodes", words: "list nodes" },
];
