import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parse } from "yaml";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import { type AppliedObject, applyObject } from "../../clusters/kubernetes/server-side-apply.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";

const CRDS = ["whereabouts-pools-crd", "whereabouts-reservations-crd"] as const;
const APPLY_MS = 60_000;
const NODE_PROGRAM = "/opt/cni/bin/whereabouts";
/** Without this file or an option `configuration_path`, whereabouts refuses each call. */
const NODE_CONFIG = "/etc/cni/net.d/whereabouts.d/whereabouts.conf";
/** Kubeconfig that Calico writes on each node; its account gets whereabouts' rights. */
const NODE_KUBECONFIG = "/etc/cni/net.d/calico-kubeconfig";

/** Installed whereabouts of a lab. */
export interface Whereabouts {
  readonly program: string;
  /** Path of the program on this machine. */
  readonly component: string;
  /** Returns the key `ipam` of a network configuration. */
  readonly buildIpam: (range: object) => object;
}

/** Builds whereabouts, installs it on every node, creates its CRDs and grants its rights. */
export async function installWhereabouts(cluster: Cluster, progress: Progress): Promise<Whereabouts> {
  const components = await resolveComponents(
    (["whereabouts", ...CRDS] as const).map((name) => ({ name, version: VERSIONS.whereabouts })),
    progress,
  );
  const config = loadKubeConfig({ kubeconfig: cluster.kubeconfig });
  const definitions = await Promise.all(
    CRDS.map(async (name) => parse(await readFile(components.path(name), "utf8")) as AppliedObject),
  );
  for (const object of [...definitions, ...listRights()]) await applyObject(config, object, Date.now() + APPLY_MS);
  const stdin = JSON.stringify({ datastore: "kubernetes", kubernetes: { kubeconfig: NODE_KUBECONFIG } });
  const program = (await readFile(components.path("whereabouts"))).toString("base64");
  const decode = ["sh", "-c", `base64 --decode > ${NODE_PROGRAM} && chmod 755 ${NODE_PROGRAM}`];
  for (const { name } of cluster.nodes) {
    const copied = await cluster.exec(name, decode, { stdin: program }); // a node does not see the cache of components
    if (copied.exitCode !== 0) throw new Error(`${NODE_PROGRAM} of ${name} was not written: ${copied.stderr}`);
    await runOnNode(cluster, name, ["mkdir", "-p", dirname(NODE_CONFIG)]);
    const { exitCode, stderr } = await cluster.exec(name, ["tee", NODE_CONFIG], { stdin });
    if (exitCode !== 0) throw new Error(`${NODE_CONFIG} of ${name} was not written: ${stderr}`);
  }
  return {
    program: NODE_PROGRAM,
    component: components.path("whereabouts"),
    buildIpam: (range) => ({ type: "whereabouts", log_level: "error", ...range }),
  };
}

function listRights(): readonly AppliedObject[] {
  const name = "whereabouts";
  const objects = [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: [
        { apiGroups: ["whereabouts.cni.cncf.io"], resources: ["*"], verbs: ["*"] },
        { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["*"] },
        { apiGroups: [""], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [
        { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:serviceaccounts" },
        { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:authenticated" },
      ],
    },
  ];
  return objects;
}
