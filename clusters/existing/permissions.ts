/** What the suite does with the cluster; each is asked for by a SelfSubjectAccessReview. */
export interface Permission {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly words: string;
}

export const REQUIRED_PERMISSIONS: readonly Permission[] = [
  { verb: "create", resource: "namespaces", words: "create namespaces" },
  { verb: "delete", resource: "namespaces", words: "delete namespaces" },
  { verb: "create", resource: "pods", words: "create pods" },
  { verb: "create", resource: "services", words: "create Services" },
  { verb: "create", resource: "pods", subresource: "exec", words: "run programs in pods (pods/exec)" },
  { verb: "list", resource: "nodes", words: "list nodes" },
];

/** What installing Interlay takes beyond that; granting a role takes having its rights, or `escalate`. */
export const INSTALL_PERMISSIONS: readonly Permission[] = [
  {
    verb: "create",
    group: "apiextensions.k8s.io",
    resource: "customresourcedefinitions",
    words: "create CustomResourceDefinitions",
  },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterroles", words: "create ClusterRoles" },
  {
    verb: "create",
    group: "rbac.authorization.k8s.io",
    resource: "clusterrolebindings",
    words: "create ClusterRoleBindings",
  },
  { verb: "create", group: "apps", resource: "daemonsets", words: "create DaemonSets" },
];
