import { chmod, copyFile, cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashContent } from "../components/cache.ts";
import { findEtcdVersion, VERSIONS } from "../components/catalog.ts";
import { runOrThrow } from "../components/command.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { Image, ImageConfig } from "./archive.ts";
import { createContentTag } from "./archive.ts";
import { identifyFile, type Layer, type LayerCache, identifyTree } from "./layer.ts";

/** Which ones kubeadm starts, whatever its own version would have: set in kind/config.ts. */
export const getKubeadmTags = (kubernetes: string) =>
  ({ etcd: `${findEtcdVersion(kubernetes).slice(1)}-0`, coredns: VERSIONS.coredns }) as const;
/** As `kubeadm config images list` names them. */
const PAUSE = "registry.k8s.io/pause:3.9";

export const formatKubeProxyImage = (version: string): string => `registry.k8s.io/kube-proxy:${version}`;
export const CALICO_IMAGES = {
  node: `docker.io/calico/node:${VERSIONS.calico}`,
  cni: `docker.io/calico/cni:${VERSIONS.calico}`,
  kubeControllers: `docker.io/calico/kube-controllers:${VERSIONS.calico}`,
} as const;
export const COREDNS_IMAGE = `registry.k8s.io/coredns/coredns:${VERSIONS.coredns}`;
export const MULTUS_IMAGE = `ghcr.io/k8snetworkplumbingwg/multus-cni:${VERSIONS.multus}-thin`;

export const MULTUS_THICK_IMAGE = `ghcr.io/k8snetworkplumbingwg/multus-cni:${VERSIONS.multus}-thick`;
export const FLANNEL_IMAGE = `ghcr.io/flannel-io/flannel:${VERSIONS.flannel}`;
/** The add-on's image of Kubernetes v1.29; the lab runs CoreDNS for it. */
export const NODE_CACHE_IMAGE = "registry.k8s.io/dns/k8s-dns-node-cache:1.22.28";

const files = join(import.meta.dirname, "files");

/** One file that is put into an image. */
interface ImageFile {
  readonly from: string;
  readonly to: string;
}

/** Makes layers out of programs and our own small scripts. */
export class ImageBuilder {
  readonly #layers: LayerCache;
  readonly #root: Layer;

  /** @param root the Debian root for images that need more than their program */
  constructor(layers: LayerCache, root: Layer) {
    this.#layers = layers;
    this.#root = root;
  }

  /** @param tree a directory of `files/` that goes in whole */
  async build(
    reference: string,
    placed: readonly ImageFile[],
    options: { readonly debian: boolean; readonly tree?: string; readonly config?: ImageConfig },
  ): Promise<Image> {
    const identities = await Promise.all(placed.map(async (p) => [p.to, await identifyFile(p.from)]));
    const tree = options.tree === undefined ? undefined : join(files, options.tree);
    const layer = await this.#layers.ensure(
      `layer-${hashContent(identities, tree === undefined ? "" : await identifyTree(tree))}`,
      "root",
      async (directory) => {
        if (tree !== undefined) await cp(tree, directory, { recursive: true });
        for (const { from, to } of placed) {
          const target = join(directory, to);
          await mkdir(dirname(target), { recursive: true });
          await copyFile(from, target);
          await chmod(target, 0o755);
        }
      },
    );
    return { reference, layers: options.debian ? [this.#root, layer] : [layer], config: options.config ?? {} };
  }

  /** As `image`, with a tag that is its content: for our own programs, which have no release yet. */
  async buildOwn(repository: string, placed: readonly ImageFile[], config: ImageConfig): Promise<Image> {
    const image = await this.build("", placed, { debian: true, config });
    return { ...image, reference: `${repository}:${createContentTag(image)}` };
  }
}

/** Everything that runs in pods of a kubeadm cluster with Calico and Multus, but for our own two images. */
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
    program(PAUSE, pause, "pause"),
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

/** The pause program, built from our own few lines of Go. */
export async function buildPause(target: string): Promise<string> {
  const source = join(import.meta.dirname, "pause", "main.go");
  await mkdir(dirname(target), { recursive: true });
  await runOrThrow(["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", target, source], {
    env: { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" },
  });
  return target;
}
