import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { IMAGE, readManifest } from "./render.ts";

const manifestObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
/** An object of the API server, as its manifest has it. */
export type ManifestObject = z.infer<typeof manifestObject>;

const daemonSet = manifestObject.extend({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ volumes: z.array(z.looseObject({ name: z.string() })) }),
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
  /** Undefined: the ConfigMap is not part of the installation, so that an existing one stays. */
  readonly returnPath?: string;
  /** Directory of the nodes where the container runtime finds plugins. */
  readonly cniBinDirectory: string;
  /** Secrets in interlay-system to pull the image with. */
  readonly pullSecrets: readonly string[];
  readonly underlay?: UnderlayOptions;
}

/** Returns all objects of an installation: namespace and definitions first, the agents' DaemonSet before pool and network. */
export function buildInstallation(options: InstallationOptions): readonly ManifestObject[] {
  const files = ["namespace", "crds", ...(options.returnPath === undefined ? [] : ["config"]), "interlay"];
  const objects = files.flatMap((file) =>
    parseAllDocuments(readManifest(`${file}.yaml`).replace(IMAGE, `image: ${JSON.stringify(options.image)}\n`)).map(
      (document) => manifestObject.parse(document.toJS()),
    ),
  );
  return [...objects.map((object) => applyOptions(object, options)), ...buildUnderlay(options.underlay)];
}

function applyOptions(object: ManifestObject, options: InstallationOptions): ManifestObject {
  if (object.kind === "ConfigMap") return { ...object, data: { returnPath: options.returnPath } };
  if (object.kind !== "DaemonSet") return object;
  const parsed = daemonSet.parse(object);
  const pod = parsed.spec.template.spec;
  const volumes = pod.volumes.map((volume) =>
    volume.name === "cni-bin" ? { ...volume, hostPath: { path: options.cniBinDirectory, type: "Directory" } } : volume,
  );
  const imagePullSecrets = options.pullSecrets.map((name) => ({ name }));
  const spec = { ...pod, volumes, ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }) };
  return { ...parsed, spec: { ...parsed.spec, template: { ...parsed.spec.template, spec } } };
}

function buildUnderlay(underlay: UnderlayOptions | undefined): readonly ManifestObject[] {
  if (underlay === undefined) return [];
  const { name, uplink, ...pool } = underlay;
  const create = (kind: string, spec: unknown) => ({
    apiVersion: "interlay.dev/v1alpha1",
    kind,
    metadata: { name },
    spec,
  });
  return [
    create("UnderlayPool", pool),
    create("UnderlayNetwork", { pools: [name], ...(uplink === undefined ? {} : { uplink }) }),
  ];
}
