import {
  AuthorizationV1Api,
  type KubeConfig,
  V1ResourceAttributes,
  V1SelfSubjectAccessReview,
  V1SelfSubjectAccessReviewSpec,
} from "@kubernetes/client-node";

/** A permission in the cluster, checked by a SelfSubjectAccessReview. */
interface Permission {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  /** The action in plain words, like `create pods`. */
  readonly action: string;
}

/** Permissions that every run needs. */
export const REQUIRED_PERMISSIONS: readonly Permission[] = [
  { verb: "create", resource: "namespaces", action: "create namespaces" },
  { verb: "delete", resource: "namespaces", action: "delete namespaces" },
  { verb: "create", resource: "pods", action: "create pods" },
  { verb: "get", resource: "namespaces", action: "get namespaces" },
  { verb: "get", resource: "pods", action: "get pods" },
  { verb: "list", resource: "pods", action: "list pods" },
  { verb: "delete", resource: "pods", action: "delete pods" },
  { verb: "create", resource: "services", action: "create Services" },
  { verb: "get", resource: "services", action: "get Services" },
  { verb: "list", resource: "services", action: "list Services" },
  { verb: "list", resource: "endpoints", action: "list Endpoints" },
  { verb: "list", resource: "events", action: "list events" },
  // For exec by WebSocket the API server checks `get`, and from v1.35 also `create`.
  { verb: "get", resource: "pods", subresource: "exec", action: "run programs in pods (get pods/exec)" },
  { verb: "create", resource: "pods", subresource: "exec", action: "run programs in pods (create pods/exec)" },
  { verb: "list", group: "apps", resource: "daemonsets", action: "list DaemonSets" },
  { verb: "list", resource: "nodes", action: "list nodes" },
];

const RBAC_GROUP = "rbac.authorization.k8s.io";

const INSTALLED_KINDS = [
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions", kind: "CustomResourceDefinitions" },
  { group: RBAC_GROUP, resource: "clusterroles", kind: "ClusterRoles" },
  { group: RBAC_GROUP, resource: "clusterrolebindings", kind: "ClusterRoleBindings" },
  { group: "apps", resource: "daemonsets", kind: "DaemonSets" },
] as const;

/**
 * Additional permissions for the installation of Interlay by server-side apply, which needs both verbs. Creating a role also
 * needs its permissions, or `escalate`.
 */
export const INSTALL_PERMISSIONS: readonly Permission[] = INSTALLED_KINDS.flatMap(({ kind, ...attributes }) =>
  (["create", "patch"] as const).map((verb) => ({ verb, ...attributes, action: `${verb} ${kind}` })),
);

/** Returns the actions that the caller may not do. Creates access reviews, which the API server does not store. */
export async function findMissingPermissions(
  config: KubeConfig,
  permissions: readonly Permission[],
): Promise<readonly string[]> {
  const api = config.makeApiClient(AuthorizationV1Api);
  const missing = await Promise.all(
    permissions.map(async ({ action, ...attributes }) => {
      const resourceAttributes = Object.assign(new V1ResourceAttributes(), attributes);
      const spec = Object.assign(new V1SelfSubjectAccessReviewSpec(), { resourceAttributes });
      const body = Object.assign(new V1SelfSubjectAccessReview(), { spec });
      const { status } = await api.createSelfSubjectAccessReview({ body });
      return status?.allowed === true ? [] : [action];
    }),
  );
  return missing.flat();
}
