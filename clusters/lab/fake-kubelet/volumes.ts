import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CoreV1Api, V1Container, V1Pod, V1Volume } from "@kubernetes/client-node";
import type { Mount } from "../machines/nsenter.ts";
import { renderResolvConf } from "./resolv-conf.ts";

/** Host directories that a lab does not mount: its nodes load no kernel modules. */
const SKIPPED_PATHS = new Set(["/lib/modules"]);
/** Lifetime of a service account token. It is not renewed: no lab lives longer. */
const TOKEN_SECONDS = 7 * 24 * 3600;

/** Creates a pod's volumes on its machine when a container needs them. */
export class Volumes {
  readonly #core: CoreV1Api;
  /** Path of the machine's root directory from this process. */
  readonly #root: string;
  readonly #pod: V1Pod;

  constructor(core: CoreV1Api, machine: number, pod: V1Pod) {
    this.#core = core;
    this.#root = `/proc/${machine}/root`;
    this.#pod = pod;
  }

  /** Directory of the pod on its machine. */
  get directory(): string {
    return `/var/lib/kubelet/pods/${this.#pod.metadata?.uid ?? ""}`;
  }

  /** Returns the mounts of a container, in the order of its volumeMounts. */
  async listMounts(container: V1Container): Promise<readonly Mount[]> {
    const volumes = new Map((this.#pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]));
    const mounts = await Promise.all(
      (container.volumeMounts ?? []).map(async ({ name, mountPath, subPath }): Promise<readonly Mount[]> => {
        const volume = volumes.get(name);
        if (volume === undefined)
          throw new Error(`volume ${name} of container ${container.name} is not a volume of its pod`);
        const source = await this.#createSource(volume);
        if (source === undefined) return [];
        return [
          {
            kind: source.kind,
            source: subPath === undefined ? source.path : join(source.path, subPath),
            target: mountPath.replace(/^\/var\/run\//, "/run/"), // /var/run is a symbolic link
          },
        ];
      }),
    );
    return mounts.flat();
  }

  /** Writes the pod's resolv.conf as kubelet does. @returns its mount; empty if the pod uses its node's file */
  async mountResolvConf(nameserver: string): Promise<readonly Mount[]> {
    const content = renderResolvConf(this.#pod, nameserver);
    if (content === undefined) return [];
    const source = `${this.directory}/resolv.conf`;
    await this.#write(source, content);
    return [{ kind: "none", source, target: "/etc/resolv.conf" }];
  }

  async #createSource(volume: V1Volume): Promise<{ readonly path: string; readonly kind: Mount["kind"] } | undefined> {
    const { hostPath } = volume;
    if (hostPath !== undefined)
      return SKIPPED_PATHS.has(hostPath.path)
        ? undefined
        : {
            path: hostPath.path.replace(/^\/var\/run\//, "/run/"),
            kind: hostPath.type?.startsWith("File") === true ? "file" : "dir",
          };
    const path = `${this.directory}/${volume.name}`;
    for (const [name, content] of await this.#readFiles(volume)) await this.#write(join(path, name), content);
    return { path, kind: "dir" };
  }

  async #readFiles(volume: V1Volume): Promise<readonly (readonly [string, string])[]> {
    if (volume.emptyDir !== undefined) return [];
    if (volume.configMap !== undefined) return this.#readConfigMap(volume.configMap.name ?? "", volume.configMap.items);
    const sources = volume.projected?.sources;
    if (sources === undefined)
      throw new Error(
        `volume ${volume.name} has a type that the lab does not support: use hostPath, configMap, emptyDir or projected`,
      );
    const files = await Promise.all(
      sources.map(async (source): Promise<readonly (readonly [string, string])[]> => {
        const { configMap, serviceAccountToken, downwardAPI } = source;
        if (serviceAccountToken !== undefined) return [[serviceAccountToken.path, await this.#createToken()]];
        if (configMap !== undefined) return this.#readConfigMap(configMap.name ?? "", configMap.items);
        return (downwardAPI?.items ?? []).map(({ path, fieldRef }) => [
          path,
          readPodField(this.#pod, fieldRef?.fieldPath ?? ""),
        ]);
      }),
    );
    return files.flat();
  }

  async #readConfigMap(
    name: string,
    items: readonly { readonly key: string; readonly path: string }[] | undefined,
  ): Promise<readonly (readonly [string, string])[]> {
    const namespace = this.#pod.metadata?.namespace ?? "";
    const { data = {} } = await this.#core.readNamespacedConfigMap({ name, namespace });
    return items === undefined ? Object.entries(data) : items.map(({ key, path }) => [path, data[key] ?? ""] as const);
  }

  async #createToken(): Promise<string> {
    const { name = "", namespace = "", uid = "" } = this.#pod.metadata ?? {};
    const request = await this.#core.createNamespacedServiceAccountToken({
      name: this.#pod.spec?.serviceAccountName ?? "default",
      namespace,
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          audiences: [],
          expirationSeconds: TOKEN_SECONDS,
          boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid },
        },
      },
    });
    return request.status?.token ?? "";
  }

  async #write(path: string, content: string): Promise<void> {
    const file = join(this.#root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }
}

/** Returns a field of a pod by its path in the downward API. @throws for a field that the lab does not support */
export function readPodField(pod: V1Pod, path: string): string {
  switch (path) {
    case "metadata.name":
      return pod.metadata?.name ?? "";
    case "metadata.namespace":
      return pod.metadata?.namespace ?? "";
    case "metadata.uid":
      return pod.metadata?.uid ?? "";
    case "spec.nodeName":
      return pod.spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.podIP":
      return pod.status?.podIP ?? "";
    case "status.hostIP":
      return pod.status?.hostIP ?? "";
    default:
      throw new Error(`the lab does not support the pod field ${path} of the downward API`);
  }
}
