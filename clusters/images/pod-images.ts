import { chmod, copyFile, cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashContent } from "../components/cache.ts";
import { findEtcdVersion, VERSIONS } from "../components/catalog.ts";
import { runOrThrow } from "../components/run-command.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { Image, ImageConfig } from "./archive.ts";
import { createContentTag } from "./archive.ts";
import { identifyFile, type Layer, type LayerCache, identifyTree } from "./layer.ts";

/** Returns the tags of the images that kubeadm starts, in place of its defaults (kind/kind-config.ts). */
export function getKubeadmTags(kubernetes: string): { readonly etcd: string; readonly coredns: string } {
  return { etcd: `${findEtcdVersion(kubernetes).slice(1)}-0`, coredns: VERSIONS.coredns };
}

/** The pause image of `kubeadm config images list`. */
const PAUSE = "registry.k8s.io/pause:3.9";

/** Returns the image of a kube-proxy version. */
export function formatKubeProxyImage(version: string): string {
  return `registry.k8s.io/kube-proxy:${version}`;
}

export const CALICO_IMAGES = {
  node: `docker.io/calico/node:${VERSIONS.calico}`,
  cni: `docker.io/calico/cni:${VERSIONS.calico}`,
  kubeControllers: `docker.io/calico/kube-controllers:${VERSIONS.calico}`,
} as const;
export const COREDNS_IMAGE = `registry.k8s.io/coredns/coredns:${VERSIONS.coredns}`;
export const MULTUS_IMAGE = `ghcr.io/k8snetworkplumbingwg/multus-cni:${VERSIONS.multus}-thin`;

export const MULTUS_THICK_IMAGE = `ghcr.io/k8snetworkplumbingwg/multus-cni:${VERSIONS.multus}-thick`;
export const FLANNEL_IMAGE = `ghcr.io/flannel-io/flannel:${VERSIONS.flannel}`;
/** Image of the add-on of Kubernetes v1.29; the lab runs CoreDNS for it. */
export const NODE_CACHE_IMAGE = "registry.k8s.io/dns/k8s-dns-node-cache:1.22.28";

const FILES_DIRECTORY = join(import.meta.dirname, "files");

/** A file of an image. */
interface ImageFile {
  readonly from: string;
  readonly to: string;
}

/** Builds images of programs and scripts. */
export class ImageBuilder {
  readonly #layers: LayerCache;
  readonly #root: Layer;

  /** @param root Debian root for images that need more than their program */
  constructor(layers: LayerCache, root: Layer) {
    this.#layers = layers;
    this.#root = root;
  }

  /**
   * Builds an image.
   * @param options.debian whether the image has the Debian root
   * @param options.tree directory of `files/` that is copied into the image
   */
  async build(
    reference: string,
    files: readonly ImageFile[],
    options: { readonly debian: boolean; readonly tree?: string; readonly config?: ImageConfig },
  ): Promise<Image> {
    const identities = await Promise.all(files.map(async (file) => [file.to, await identifyFile(file.from)]));
    const tree = options.tree === undefined ? undefined : join(FILES_DIRECTORY, options.tree);
    const layer = await this.#layers.ensure(
      `layer-${hashContent(identities, tree === undefined ? "" : await identifyTree(tree))}`,
      "root",
      async (directory) => {
        if (tree !== undefined) await cp(tree, directory, { recursive: true });
        for (const { from, to } of files) {
          const target = join(directory, to);
          await mkdir(dirname(target), { recursive: true });
          await copyFile(from, target);
          await chmod(target, 0o755);
        }
      },
    );
    return { reference, layers: options.debian ? [this.#root, layer] : [layer], config: options.config ?? {} };
  }

  /** Builds an image of this project, whose tag is a hash of its content. */
  async buildOwn(repository: string, files: readonly ImageFile[], config: ImageConfig): Promise<Image> {
    const image = await this.build("", files, { debian: true, config });
    return { ...image, reference: `${repository}:${createContentTag(image)}` };
  }
}

/** Builds a pause image. @param program path of its program */
export function buildPauseImage(builder: ImageBuilder, reference: string, program: string): Promise<Image> {
  const path = "usr/local/bin/pause";
  const config = { Entrypoint: [`/${path}`] };
  return builder.build(reference, [{ from: program, to: path }], { debian: false, config });
}

/** Builds the images of all pods of a kubeadm cluster with Calico and Multus, except Interlay's and the probe's. */
export async function buildPodImages(
  components: ResolvedComponents,
  kubernetes: string,
  kubeProxies: readonly string[],
  builder: ImageBuilder,
  pause: string,
): Promise<readonly Image[]> {
  const bin = (from: string, name: string): ImageFile => ({ from, to: `usr/local/bin/${name}` });
  const program = (reference: string, path: string, name: string, debian = false) =>
    builder.build(reference, [bin(path, name)], { debian, config: { Entrypoint: [`/usr/local/bin/${name}`] } });
  const tags = getKubeadmTags(kubernetes);
  return Promise.all([
    buildPauseImage(builder, PAUSE, pause),
    program(`registry.k8s.io/etcd:${tags.etcd}`, components.path("etcd"), "etcd"),
    program(`registry.k8s.io/coredns/coredns:${tags.coredns}`, components.path("coredns"), "coredns"),
    ...(["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const).map((name) =>
      program(`registry.k8s.io/${name}:${kubernetes}`, components.path(name, kubernetes), name),
    ),
    ...kubeProxies.map((version) =>
      program(formatKubeProxyImage(version), components.path("kube-proxy", version), "kube-proxy", true),
    ),
    program(CALICO_IMAGES.kubeControllers, components.path("calico-kube-controllers"), "kube-controllers"),
    builder.build(CALICO_IMAGES.node, [{ from: components.path("calico-node"), to: "usr/bin/calico-node" }], {
      debian: true,
      tree: "calico-node",
      config: { Entrypoint: ["/usr/sbin/start_runit"] },
    }),
    builder.build(CALICO_IMAGES.cni, [{ from: components.path("calico-cni"), to: "opt/cni/bin/calico" }], {
      debian: true,
      tree: "calico-cni",
      config: { Entrypoint: ["/opt/cni/bin/install"] },
    }),
    builder.build(MULTUS_IMAGE, [{ from: components.path("multus"), to: "usr/src/multus-cni/bin/multus" }], {
      debian: true,
      tree: "multus",
      config: { Entrypoint: ["/thin_entrypoint"] },
    }),
  ]);
}

/** Builds the program of the pause image. */
export async function buildPause(target: string): Promise<string> {
  const source = join(import.meta.dirname, "pause", "main.go");
  await mkdir(dirname(target), { recursive: true });
  await runOrThrow(["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", target, source], {
    env: { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" },
  });
  return target;
}
