import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getAsset, isSea } from "node:sea";
import { stringify } from "yaml";
import { CONFIG_MAP, GROUP_VERSION, SYSTEM_NAMESPACE } from "../kubernetes/objects.ts";

export interface PoolOptions {
  readonly name: string;
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly gateway?: string;
  /** Only pods on nodes with these labels use the pool; absent, pods on all nodes. */
  readonly nodeSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
}

interface DeployOptions {
  /** Reference of the image with the executable as its entrypoint. */
  readonly image: string;
  readonly returnPath: "auto" | "notrack" | "liberal" | "snat" | "none";
  readonly pools: readonly PoolOptions[];
  /** Parent link of macvlan children on every node. */
  readonly uplink?: string;
  /** Undefined if the API server does not serve ValidatingAdmissionPolicy. */
  readonly admission: AdmissionVersion | undefined;
}

/** Versions of the API in which a ValidatingAdmissionPolicy has the same fields. */
export type AdmissionVersion = "v1" | "v1beta1";

/** Files of manifests/ with the agents and the controller, and their permissions. */
export const WORKLOADS = ["interlay.yaml", "controller.yaml"] as const;
/** The image in the manifests of the workloads: the installer replaces it. */
export const IMAGE = "image: interlay\n";
const DEFAULT_UPLINK = "eth0";
/** Version of the CNI specification that Multus v4.2 and the reference plugins v1.9 support. */
const CNI_VERSION = "1.0.0";

/**
 * Renders all objects that a cluster installs as one YAML with several documents, definitions first. The agents may restart
 * kube-proxy, because the ConfigMap can be changed to return path `liberal` later.
 */
export function renderInterlay(options: DeployOptions): string {
  const documents = [
    readManifest("namespace.yaml"),
    readManifest("crds.yaml"),
    stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: CONFIG_MAP, namespace: SYSTEM_NAMESPACE },
      data: { returnPath: options.returnPath },
    }),
    ...WORKLOADS.map((file) => readManifest(file).replace(IMAGE, `image: ${options.image}\n`)),
    ...(options.admission === undefined ? [] : [renderAdmission(options.admission)]),
    readManifest("../components/restart-kube-proxy/role.yaml"),
    ...options.pools.map(({ name, ...spec }) =>
      stringify({ apiVersion: GROUP_VERSION, kind: "UnderlayPool", metadata: { name }, spec }),
    ),
    stringify({
      apiVersion: "k8s.cni.cncf.io/v1",
      kind: "NetworkAttachmentDefinition",
      metadata: { name: "underlay", namespace: SYSTEM_NAMESPACE },
      spec: { config: JSON.stringify(buildConflist(options.uplink ?? DEFAULT_UPLINK)) },
    }),
  ];
  return documents.join("---\n");
}

/** Renders the policies that bind what an agent writes to its node. */
export function renderAdmission(version: AdmissionVersion): string {
  return readManifest("admission.yaml").replaceAll(/^(apiVersion: [^/]+\/)v1$/gm, `$1${version}`);
}

function buildConflist(uplink: string): unknown {
  return {
    cniVersion: CNI_VERSION,
    name: "underlay",
    plugins: [
      { type: "macvlan", master: uplink, mode: "bridge", ipam: { type: "interlay-ipam" } },
      { type: "interlay" },
      { type: "portmap", snat: true, capabilities: { portMappings: true } },
    ],
  };
}

/** Reads a file of manifests/, the base of the kustomize overlays; in a single executable it is an asset. */
export function readManifest(name: string): string {
  return isSea() ? getAsset(name, "utf8") : readFileSync(join(import.meta.dirname, "manifests", name), "utf8");
}
