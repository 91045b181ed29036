import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CoreV1Api, V1Container, V1Pod, V1Volume } from "@kubernetes/client-node";
import type { Mount } from "../nsenter.ts";
import { renderResolvConf } from "./resolv-conf.ts";

/** Directories of the computer's kernel that no lab needs: nothing is loaded there. */
const LEFT_OUT = new Set(["/lib/modules"]);
const TOKEN_SECONDS = 7 * 24 * 3600; // a lab does not live longer, so nobody renews it

/** The volumes of a pod on a machine: made when its containers are. */
export class Volumes {
  readonly #core: CoreV1Api;
  /** The machine's root directory, as this process sees it. */
  readonly #root: string;
  readonly #pod: V1Pod;

  constructor(core: CoreV1Api, machine: number, pod: V1Pod) {
    this.#core = core;
    this.#root = `/proc/${machine}/root`;
    this.#pod = pod;
  }

  get directory(): string {
    return `/var/lib/kubelet/pods/${this.#pod.metadata?.uid ?? ""}`;
  }

  async mountsFor(container: V1Container): Promise<readonly Mount[]> {
    const volumes = new Map((this.#pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]));
    const mounts = await Promise.all(
      (container.volumeMounts ?? []).map(async ({ name, mountPath, subPath }): Promise<readonly Mount[]> => {
        const volume = volumes.get(name);
        if (volume === undefined) throw new Error(`Volume ${name} of container ${container.name} is not in its pod.`);
        const source = await this.#sourceOf(volume);
        if (source === undefined) return [];
        return [
          {
            kind: source.kind,
            source: subPath === undefined ? source.path : join(source.path, subPath),
            target: mountPath.replace(/^\/var\/run\//, "/run/"), // a link on every machine
          },
        ];
      }),
    );
    return mounts.flat();
  }

  /** Writes the pod's resolv.conf as kubelet does. @returns its mount; none where the pod has its node's own */
  async mountResolvConf(nameserver: string): Promise<readonly Mount[]> {
    const content = renderResolvConf(this.#pod, nameserver);
    if (content === undefined) return [];
    const source = `${this.directory}/resolv.conf`;
    await this.#write(source, content);
    return [{ kind: "none", source, target: "/etc/resolv.conf" }];
  }

  async #sourceOf(volume: V1Volume): Promise<{ readonly path: string; readonly kind: Mount["kind"] } | undefined> {
    const { hostPath } = volume;
    if (hostPath !== undefined)
      return LEFT_OUT.has(hostPath.path)
        ? undefined
        : {
            path: hostPath.path.replace(/^\/var\/run\//, "/run/"),
            kind: hostPath.type?.startsWith("File") === true ? "file" : "dir",
          };
    const path = `${this.directory}/${volume.name}`;
    for (const [name, content] of await this.#filesOf(volume)) await this.#write(join(path, name), content);
    return { path, kind: "dir" };
  }

  async #filesOf(volume: V1Volume): Promise<readonly (readonly [string, string])[]> {
    if (volume.emptyDir !== undefined) return [];
    if (volume.configMap !== undefined) return this.#configMap(volume.configMap.name ?? "", volume.configMap.items);
    const sources = volume.projected?.sources;
    if (sources === undefined)
      throw new Error(`Volume ${volume.name} is of a kind that the lab's node runner does not know.`);
    const files = await Promise.all(
      sources.map(async (source): Promise<readonly (readonly [string, string])[]> => {
        const { configMap, serviceAccountToken, downwardAPI } = source;
        if (serviceAccountToken !== undefined) return [[serviceAccountToken.path, await this.#token()]];
        if (configMap !== undefined) return this.#configMap(configMap.name ?? "", configMap.items);
        return (downwardAPI?.items ?? []).map(({ path, fieldRef }) => [
          path,
          readPodField(this.#pod, fieldRef?.fieldPath ?? ""),
        ]);
      }),
    );
    return files.flat();
  }

  async #configMap(
    name: string,
    items: readonly { readonly key: string; readonly path: string }[] | undefined,
  ): Promise<readonly (readonly [string, string])[]> {
    const namespace = this.#pod.metadata?.namespace ?? "";
    const { data = {} } = await this.#core.readNamespacedConfigMap({ name, namespace });
    return items === undefined ? Object.entries(data) : items.map(({ key, path }) => [path, data[key] ?? ""] as const);
  }

  async #token(): Promise<string> {
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

/** A field of a pod by the downward API's path. */
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
      throw new Error(`The lab's node runner does not know the pod field ${path}.`);
  }
}
