import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { getCacheRoot } from "../components/cache.ts";
import type { Executables } from "../../plugin/deploy/build.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { Progress } from "../progress.ts";
import type { Image } from "./archive.ts";
import { buildNodeRoot, buildPodRoot } from "./base.ts";
import { LayerCache } from "./layer.ts";
import { buildNodeImage } from "./node-image.ts";
import { buildPause, ImageBuilder, buildPodImages } from "./pod-images.ts";

/** Everything that a kind cluster runs. */
export interface ClusterImages {
  readonly node: Image;
  /** What others wrote, and what seldom changes: shared by all nodes (store.ts). */
  readonly pods: readonly Image[];
  /** Our own two, which change with every edit and are imported into running nodes. */
  readonly interlay: Image;
  readonly probe: Image;
}

interface ImageRequest {
  readonly kubernetes: string;
  readonly kubeProxies: readonly string[];
  /** Paths of our own executables. */
  readonly interlay: Executables;
  readonly probe: string;
}

/** Where layers are kept. */
export function getLayersDirectory(): string {
  return join(getCacheRoot(), "layers");
}

/** The images' layers, made from the components once. Needs no Docker. */
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

/** Our own two alone, to be loaded into any cluster's nodes or registry. Needs no Docker. */
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
  const own = (name: string, ...executables: readonly string[]) => {
    const placed = executables.map((from) => ({ from, to: `usr/local/bin/${basename(from)}` }));
    return builder.buildOwn(`interlay.dev/${name}`, placed, { Entrypoint: [`/usr/local/bin/${name}`] });
  };
  return { interlay: await own("interlay", interlay.launcher, interlay.full), probe: await own("probe", probe) };
}

async function ensurePauseProgram(): Promise<string> {
  const target = join(getCacheRoot(), "components", "pause-1", "pause");
  return access(target).then(
    () => target,
    () => buildPause(target),
  );
}
