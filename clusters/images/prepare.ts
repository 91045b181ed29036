import { basename, join } from "node:path";
import { getCacheRoot } from "../components/cache.ts";
import { pathExists } from "../components/path-exists.ts";
import type { Executables } from "../../plugin/deploy/build-executables.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { Progress } from "../progress/progress.ts";
import type { Image } from "./archive.ts";
import { buildNodeRoot, buildPodRoot } from "./base.ts";
import { LayerCache } from "./layer.ts";
import { buildNodeImage } from "./node-image.ts";
import { buildPause, ImageBuilder, buildPodImages } from "./pod-images.ts";

/** The images of a kind cluster. */
export interface ClusterImages {
  readonly node: Image;
  /** Images of other projects, which rarely change: all nodes share them (store.ts). */
  readonly pods: readonly Image[];
  /** Images of this project, which are imported into running nodes. */
  readonly interlay: Image;
  readonly probe: Image;
}

interface ImageRequest {
  readonly kubernetes: string;
  readonly kubeProxies: readonly string[];
  /** Paths of this project's executables. */
  readonly interlay: Executables;
  readonly probe: string;
}

/** Returns the directory of layers in the cache. */
export function getLayersDirectory(): string {
  return join(getCacheRoot(), "layers");
}

/** Builds the images of a cluster from its components. Needs no Docker. */
export async function prepareImages(
  components: ResolvedComponents,
  { kubernetes, kubeProxies, interlay, probe }: ImageRequest,
  progress: Progress,
): Promise<ClusterImages> {
  const layers = new LayerCache(getLayersDirectory());
  const builder = new ImageBuilder(layers, await buildPodRoot(layers, progress));
  return {
    node: await buildNodeImage(components, kubernetes, await buildNodeRoot(layers, progress), layers),
    pods: await buildPodImages(components, kubernetes, kubeProxies, builder, await ensurePauseProgram()),
    ...(await buildOwnImages(builder, { interlay, probe })),
  };
}

/** Builds only the images of this project, for the nodes or the registry of any cluster. Needs no Docker. */
export async function prepareOwnImages(
  executables: Pick<ImageRequest, "interlay" | "probe">,
  progress: Progress,
): Promise<Pick<ClusterImages, "interlay" | "probe">> {
  const layers = new LayerCache(getLayersDirectory());
  return buildOwnImages(new ImageBuilder(layers, await buildPodRoot(layers, progress)), executables);
}

async function buildOwnImages(
  builder: ImageBuilder,
  { interlay, probe }: Pick<ImageRequest, "interlay" | "probe">,
): Promise<Pick<ClusterImages, "interlay" | "probe">> {
  const buildImage = (name: string, ...executables: readonly string[]) => {
    const files = executables.map((from) => ({ from, to: `usr/local/bin/${basename(from)}` }));
    return builder.buildOwn(`interlay.dev/${name}`, files, { Entrypoint: [`/usr/local/bin/${name}`] });
  };
  return {
    interlay: await buildImage("interlay", interlay.launcher, interlay.full),
    probe: await buildImage("probe", probe),
  };
}

/** Builds the program of the pause image, unless the cache has it. @returns its path */
export async function ensurePauseProgram(): Promise<string> {
  const target = join(getCacheRoot(), "components", "pause-1", "pause");
  return (await pathExists(target)) ? target : buildPause(target);
}
