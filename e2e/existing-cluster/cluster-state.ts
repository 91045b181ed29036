import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { retryOnServerError, type ClusterApi } from "../support/cluster-api.ts";
import { readNodeLines } from "../support/node-lines.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

/** Resources that `kubectl get all -A` lists, and definitions, RBAC, networks and namespaces. */
const KINDS = [
  ["v1", "Namespace"],
  ["v1", "Pod"],
  ["v1", "Service"],
  ["v1", "ServiceAccount"],
  ["v1", "ConfigMap"],
  ["apps/v1", "DaemonSet"],
  ["apps/v1", "Deployment"],
  ["apps/v1", "ReplicaSet"],
  ["apps/v1", "StatefulSet"],
  ["batch/v1", "Job"],
  ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["rbac.authorization.k8s.io/v1", "Role"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding"],
  ["k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"],
] as const;
const INTERLAY_KINDS = ["UnderlayPool", "UnderlayNetwork", "UnderlayAddress", "NodeState"] as const;

const identity = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().optional(), uid: z.string() }),
});

/** Returns every object with its uid, so that a recreated object differs. */
export async function readObjects(api: ClusterApi): Promise<readonly string[]> {
  const interlayKinds = INTERLAY_KINDS.map((kind) => [GROUP_VERSION, kind] as const);
  const lists = await Promise.all(
    [...KINDS, ...interlayKinds].map(async ([version, kind]) => {
      const items = await retryOnServerError(() => api.objects.list(version, kind)).then(
        (list) => list.items,
        () => [], // an unknown kind
      );
      return items.map((item) => {
        const { name, namespace, uid } = identity.parse(item).metadata;
        return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name} ${uid}`;
      });
    }),
  );
  return lists.flat().sort();
}

const COMMANDS: readonly (readonly string[])[] = [
  ["ip", "-brief", "link"],
  ["ip", "-brief", "address"],
  ["ip", "rule"],
  ["ip", "-6", "rule"],
  ["ip", "route", "show", "table", "all"],
  ["ip", "-6", "route", "show", "table", "all"],
  ["ip", "neigh", "show", "nud", "permanent"],
  ["nft", "list", "tables"],
  ["ls", "-1", "/opt/cni/bin", "/etc/cni/net.d"],
  // The contents of these directories belong to the installed Interlay; their existence does not.
  ["ls", "-1", "-d", "/var/lib/interlay", "/run/interlay"],
  ["sysctl", "net.ipv4.ip_forward", "net.netfilter.nf_conntrack_tcp_be_liberal"],
];

/** Returns the state of the nodes' kernels and directories, a line each. */
export async function readStableNodes(cluster: Cluster): Promise<readonly string[]> {
  return (await readNodeLines(cluster, COMMANDS, removeVolatileFields)).toSorted();
}

/**
 * Returns the line without fields that the kernel changes by itself: link indices after @, lifetimes, learned neighbours of a
 * VXLAN.
 */
function removeVolatileFields(line: string): string {
  return line
    .replaceAll(/@if\d+/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Returns the lines that only one of two lists has. Pure. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const [earlier, current] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !current.has(line)).map((one) => `gone: ${one}`),
    ...after.filter((line) => !earlier.has(line)).map((one) => `new: ${one}`),
  ];
}
