import { OWNER_LABEL } from "../../clusters/provider/provider.ts";

/** Namespace of the Job and of its results. */
export const JOB_NAMESPACE = "interlay-e2e";
export const JOB_NAME = "interlay-e2e";
/** ConfigMap with the results of the run. */
export const RESULTS_MAP = "results";
/** ClusterRole that is bound to the Job's service account. */
const ROLE = "interlay-e2e";
const RUN_LIMIT_SECONDS = 3600;
/** Time in which an interrupted run restores the cluster. */
const GRACE_SECONDS = 180;

/** Settings of a run in the cluster. */
export interface JobOptions {
  /** Images of the suite and of the probe, as the nodes find them. */
  readonly suite: string;
  readonly probe: string;
  /** Further options of `npm run e2e`. */
  readonly e2e: readonly string[];
  /** Whether the run has the role cluster-admin, which the installation of Interlay needs. */
  readonly clusterAdmin: boolean;
  /** PersistentVolumeClaim in the Job's namespace where all files of the results are written too. */
  readonly claim?: string;
  /** Secret in the Job's namespace to pull the suite's image with. */
  readonly pullSecret?: string;
}

/** A Kubernetes object as JSON. */
export interface JobManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

type Rule = Readonly<Record<"apiGroups" | "resources" | "verbs", readonly string[]>>;

const createRule = (group: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});

/** Rights of a run on an existing cluster that does not install Interlay, and of a snapshot. */
export const RUN_RULES: readonly Rule[] = [
  createRule("", ["namespaces"], ["get", "list", "create", "delete"]),
  createRule("", ["pods", "services"], ["get", "list", "create", "delete"]),
  createRule("", ["pods/exec"], ["get", "create"]),
  createRule("", ["pods/log", "configmaps"], ["get"]),
  createRule("", ["nodes", "endpoints", "events"], ["get", "list"]),
  createRule("apps", ["daemonsets"], ["get", "list"]),
  createRule("discovery.k8s.io", ["endpointslices"], ["list"]),
  createRule("networking.k8s.io", ["networkpolicies", "servicecidrs"], ["list"]),
  createRule("apiextensions.k8s.io", ["customresourcedefinitions"], ["get"]),
  createRule("k8s.cni.cncf.io", ["network-attachment-definitions"], ["get", "list"]),
  createRule("crd.projectcalico.org", ["ippools", "felixconfigurations"], ["list"]),
  createRule("interlay.dev", ["underlaypools"], ["get", "list", "create", "delete"]),
  createRule("interlay.dev", ["underlaynetworks", "underlayaddresses", "nodestates"], ["list"]),
];

/** Returns the objects of a run in the cluster, in the order in which they are created. The Job is the last. */
export function buildManifests(options: JobOptions): readonly JobManifest[] {
  const rbac = "rbac.authorization.k8s.io/v1";
  const namespaced = { name: JOB_NAME, namespace: JOB_NAMESPACE };
  const subjects = [{ kind: "ServiceAccount", ...namespaced }];
  const bind = (kind: string, name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
  const labels = { [OWNER_LABEL]: "e2e" };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: JOB_NAMESPACE, labels: { ...labels, "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...namespaced, labels } },
    ...(options.clusterAdmin
      ? []
      : [{ apiVersion: rbac, kind: "ClusterRole", metadata: { name: ROLE, labels }, rules: RUN_RULES }]),
    {
      apiVersion: rbac,
      kind: "ClusterRoleBinding",
      metadata: { name: ROLE, labels },
      roleRef: bind("ClusterRole", options.clusterAdmin ? "cluster-admin" : ROLE),
      subjects,
    },
    {
      apiVersion: rbac,
      kind: "Role",
      metadata: { ...namespaced, labels },
      rules: [createRule("", ["configmaps"], ["get", "create", "update"])],
    },
    {
      apiVersion: rbac,
      kind: "RoleBinding",
      metadata: { ...namespaced, labels },
      roleRef: bind("Role", JOB_NAME),
      subjects,
    },
    { apiVersion: "batch/v1", kind: "Job", metadata: { ...namespaced, labels }, spec: buildJobSpec(options, labels) },
  ];
}

/** Returns the objects that runs create in addition to the Job, in the order of their removal. */
export function listCreatedObjects(): readonly Pick<JobManifest, "apiVersion" | "kind" | "metadata">[] {
  const results = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: RESULTS_MAP, namespace: JOB_NAMESPACE } };
  const manifests = buildManifests({ suite: "", probe: "", e2e: [], clusterAdmin: false });
  return [results, ...manifests.filter(({ kind }) => kind !== "Job").toReversed()];
}

function buildJobSpec({ suite, probe, e2e, claim, pullSecret }: JobOptions, labels: Readonly<Record<string, string>>) {
  return {
    backoffLimit: 0, // a second attempt would hide the first one
    activeDeadlineSeconds: RUN_LIMIT_SECONDS,
    template: {
      metadata: { labels },
      spec: {
        restartPolicy: "Never",
        serviceAccountName: JOB_NAME,
        terminationGracePeriodSeconds: GRACE_SECONDS,
        ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
        nodeSelector: { "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" },
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65534,
          fsGroup: 65534,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: "suite",
            image: suite,
            imagePullPolicy: "IfNotPresent",
            args: ["--config-map", `${JOB_NAMESPACE}/${RESULTS_MAP}`, "--", "--image", probe, ...e2e],
            env: [
              { name: "HOME", value: "/tmp" },
              { name: "INTERLAY_CACHE", value: "/tmp/cache" },
            ],
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { memory: "2Gi" } },
            volumeMounts: [
              { name: "tmp", mountPath: "/tmp" },
              ...(claim === undefined ? [] : [{ name: "results", mountPath: "/tmp/results" }]),
            ],
          },
        ],
        volumes: [
          { name: "tmp", emptyDir: {} },
          ...(claim === undefined ? [] : [{ name: "results", persistentVolumeClaim: { claimName: claim } }]),
        ],
      },
    },
  };
}

/**
 * Returns the definition of the suite as a plugin of Sonobuoy, which adds its worker, the volume of the results and
 * RESULTS_DIR.
 */
export function buildSonobuoyPlugin({ suite, probe, e2e }: Pick<JobOptions, "suite" | "probe" | "e2e">) {
  return {
    "sonobuoy-config": {
      driver: "Job",
      "plugin-name": "interlay",
      "result-format": "junit",
      "result-files": ["junit.xml"],
      description: "Connectivity between overlay, underlay and multi-NIC pods",
    },
    spec: {
      name: "plugin",
      image: suite,
      imagePullPolicy: "IfNotPresent",
      args: ["--sonobuoy", "--", "--image", probe, ...e2e],
      env: [
        { name: "HOME", value: "/tmp" },
        { name: "INTERLAY_CACHE", value: "/tmp/cache" },
      ],
      resources: { requests: { cpu: "200m", memory: "512Mi" } },
    },
  };
}
