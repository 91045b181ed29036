import { readFile } from "node:fs/promises";
import { z } from "zod";

const event = z.object({
  user: z.object({ username: z.string() }),
  verb: z.string(),
  objectRef: z
    .object({
      apiGroup: z.string().default(""),
      resource: z.string(),
      subresource: z.string().optional(),
      namespace: z.string().default(""),
    })
    .optional(),
  responseStatus: z.object({ code: z.number() }).optional(),
});

/** A Role, or a ClusterRole, which has no namespace. */
export const roleSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().default("") }),
  rules: z.array(
    z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});
export type Role = z.infer<typeof roleSchema>;

/** Lists the grants of a role as `verb resource.group`, with `in NAMESPACE` if it is a Role. */
export function listGrants({ metadata, rules }: Role): readonly string[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => describeRequest(verb, resource, group, metadata.namespace))),
    ),
  );
}

interface RequestSummary {
  /** Grants that allowed at least one request. */
  readonly used: ReadonlySet<string>;
  /** Requests that were denied, or that no grant covers. */
  readonly notGranted: readonly string[];
}

/**
 * Compares the requests of an account in the API server's audit log with its grants.
 *
 * @param auditLog path of the log, one JSON event a line
 * @param account name of the ServiceAccount in interlay-system
 */
export async function listRequests(
  auditLog: string,
  account: string,
  grants: ReadonlySet<string>,
): Promise<RequestSummary> {
  const username = `system:serviceaccount:interlay-system:${account}`;
  const used = new Set<string>();
  const notGranted = new Set<string>();
  for (const line of (await readFile(auditLog, "utf8")).split("\n").filter((text) => text !== "")) {
    const { user, verb, objectRef, responseStatus } = event.parse(JSON.parse(line));
    if (user.username !== username || objectRef === undefined) continue;
    const { apiGroup, namespace, subresource } = objectRef;
    const resource = objectRef.resource + (subresource === undefined ? "" : `/${subresource}`);
    const grant = [
      describeRequest(verb, resource, apiGroup, namespace),
      describeRequest(verb, resource, apiGroup, ""),
    ].find((name) => grants.has(name));
    if (grant !== undefined) used.add(grant);
    if (grant === undefined || responseStatus?.code === 403)
      notGranted.add(describeRequest(verb, resource, apiGroup, namespace));
  }
  return { used, notGranted: [...notGranted] };
}

function describeRequest(verb: string, resource: string, group: string, namespace: string): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${namespace === "" ? "" : ` in ${namespace}`}`;
}
