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
  { verb: "get", resource: "namespaces", words: "get namespaces" },
  { verb: "get", resource: "pods", words: "get pods" },
  { verb: "list", resource: "pods", words: "list pods" },
  { verb: "delete", resource: "pods", words: "delete pods" },
  { verb: "create", resource: "services", words: "create Services" },
  { verb: "get", resource: "services", words: "get Services" },
  { verb: "list", resource: "services", words: "list Services" },
  { verb: "list", resource: "endpoints", words: "list Endpoints" },
  { verb: "list", resource: "events", words: "list events" },
  // The API server asks for `get` where exec comes by WebSocket, as here, and from v1.35 on for `create` too.
  { verb: "get", resource: "pods", subresource: "exec", words: "run programs in pods (get pods/exec)" },
  { verb: "create", resource: "pods", subresource: "exec", words: "run programs in pods (create pods/exec)" },
  { verb: "list", group: "apps", resource: "daemonsets", words: "list DaemonSets" },
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
