import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheRoot } from "../components/cache.ts";
import type { Executables } from "../../plugin/deploy/build.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { Progress } from "../progress.ts";
import type { Image } from "./archive.ts";
import { nodeRoot, podRoot } from "./base.ts";
import { LayerCache } from "./layer.ts";
import { nodeImage } from "./node-image.ts";
import { buildPause, ImageBuilder, podImages } from "./pod-images.ts";

/** Everything that a kind cluster runs. */
export interface ClusterImages {
  readonly node: Image;
  /** What others wrote, and what seldom changes: shared by all nodes (store.ts). */
  readonly pods: readonly Image[];
  /** Our own two, which change with every edit and are imported into running nodes. */
  readonly interlay: Image;
  readonly probe: Image;
}

export interface ImageRequest {
  readonly kubernetes: string;
  readonly kubeProxies: readonly string[];
  /** Paths of our own executables. */
  readonly interlay: Executables;
  readonly probe: string;
}

/** Where layers are kept. */
export function layersDirectory(): string {
  return join(cacheRoot(), "layers");
}

/** The images' layers, made from the components once. Needs no Docker. */
export async function prepareImages(
  components: ResolvedComponents,
  { kubernetes, kubeProxies, interlay, probe }: ImageRequest,
  progress: Progress,
): Promise<ClusterImages> {
  const layers = new LayerCache(layersDirectory());
  const builder = new ImageBuilder(layers, await podRoot(layers, progress));
  return {
    node: await nodeImage(components, kubernetes, await nodeRoot(layers, progress), layers),
    pods: await podImages(components, kubernetes, kubeProxies, builder, await pauseProgram()),
    ...(await ownImages(builder, { interlay, probe })),
  };
}

/** Our own two alone, to be loaded into any cluster's nodes or registry. Needs no Docker. */
export async function prepareOwnImages(
  executables: Pick<ImageRequest, "interlay" | "probe">,
  progress: Progress,
): Promise<Pick<ClusterImages, "interlay" | "probe">> {
  const layers = new LayerCache(layersDirectory());
  return ownImages(new ImageBuilder(layers, await podRoot(layers, progress)), executables);
}

async function ownImages(
  builder: ImageBuilder,
  { interlay, probe }: Pick<ImageRequest, "interlay" | "probe">,
): Promise<Pick<ClusterImages, "interlay" | "probe">> {
  const own = (name: string, ...executables: readonly string[]) => {
    const placed = executables.map((from) => ({ from, to: `usr/local/bin/${basename(from)}` }));
    return builder.ownImage(`interlay.dev/${name}`, placed, { Entrypoint: [`/usr/local/bin/${name}`] });
  };
  return { interlay: await own("interlay", interlay.launcher, interlay.full), probe: await own("probe", probe) };
}

async function pauseProgram(): Promise<string> {
  const target = join(cacheRoot(), "components", "pause-1", "pause");
  return access(target).then(
    () => target,
    () => buildPause(target),
  );
}
