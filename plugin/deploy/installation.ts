import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { type AdmissionVersion, IMAGE, readManifest, renderAdmission, WORKLOADS } from "./render-installation.ts";
import { GROUP_VERSION } from "../kubernetes/objects.ts";

const manifestObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
/** An object of the API server, as its manifest has it. */
export type ManifestObject = z.infer<typeof manifestObject>;

const workload = manifestObject.extend({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ volumes: z.array(z.looseObject({ name: z.string() })).optional() }),
    }),
  }),
});

/** The range of an UnderlayPool, and the network that pods attach to. */
export interface UnderlayOptions {
  /** Name of the pool, of the network, and of its NetworkAttachmentDefinition. */
  readonly name: string;
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly gateway?: string;
  /** Parent of the macvlan links; undefined: each node's link with the default route. */
  readonly uplink?: string;
}

/** Settings that an installation may change in the manifests. */
export interface InstallationOptions {
  readonly image: string;
  /** Undefined if the ConfigMap is not part of the installation, so that an existing one stays. */
  readonly returnPath?: string;
  /** Directory of the nodes where the container runtime finds plugins. */
  readonly cniBinDirectory: string;
  /** Secrets in interlay-system to pull the image with. */
  readonly pullSecrets: readonly string[];
  readonly underlay?: UnderlayOptions;
  /** Undefined if the API server does not serve ValidatingAdmissionPolicy. */
  readonly admission: AdmissionVersion | undefined;
}

/** Returns all objects of an installation: namespace and definitions first, the workloads before pool and network. */
export function buildInstallation(options: InstallationOptions): readonly ManifestObject[] {
  const image = `image: ${JSON.stringify(options.image)}\n`;
  const objects = [
    ...["namespace.yaml", "crds.yaml", ...(options.returnPath === undefined ? [] : ["config.yaml"])].map(readManifest),
    ...(options.admission === undefined ? [] : [renderAdmission(options.admission)]),
    ...WORKLOADS.map((file) => readManifest(file).replace(IMAGE, image)),
  ].flatMap((text) => parseAllDocuments(text).map((document) => manifestObject.parse(document.toJS())));
  return [...objects.map((object) => applyOptions(object, options)), ...buildUnderlay(options.underlay)];
}

/** Returns the objects that versions up to 0.1.0 had and that grant more than agents need now. */
export function listObsoleteObjects(): readonly ManifestObject[] {
  const rbac = "rbac.authorization.k8s.io/v1";
  const namespace = "interlay-system";
  const name = "interlay";
  return [
    { apiVersion: rbac, kind: "ClusterRoleBinding", metadata: { name } },
    { apiVersion: rbac, kind: "ClusterRole", metadata: { name } },
    { apiVersion: rbac, kind: "RoleBinding", metadata: { name, namespace } },
    { apiVersion: rbac, kind: "Role", metadata: { name, namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
  ];
}

function applyOptions(object: ManifestObject, options: InstallationOptions): ManifestObject {
  if (object.kind === "ConfigMap") return { ...object, data: { returnPath: options.returnPath } };
  if (object.kind !== "DaemonSet" && object.kind !== "Deployment") return object;
  const parsed = workload.parse(object);
  const pod = parsed.spec.template.spec;
  const volumes = pod.volumes?.map((volume) =>
    volume.name === "cni-bin" ? { ...volume, hostPath: { path: options.cniBinDirectory, type: "Directory" } } : volume,
  );
  const imagePullSecrets = options.pullSecrets.map((name) => ({ name }));
  const spec = {
    ...pod,
    ...(volumes === undefined ? {} : { volumes }),
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
  };
  return { ...parsed, spec: { ...parsed.spec, template: { ...parsed.spec.template, spec } } };
}

function buildUnderlay(underlay: UnderlayOptions | undefined): readonly ManifestObject[] {
  if (underlay === undefined) return [];
  const { name, uplink, ...pool } = underlay;
  const create = (kind: string, spec: unknown) => ({
    apiVersion: GROUP_VERSION,
    kind,
    metadata: { name },
    spec,
  });
  return [
    create("UnderlayPool", pool),
    create("UnderlayNetwork", { pools: [name], ...(uplink === undefined ? {} : { uplink }) }),
  ];
}
