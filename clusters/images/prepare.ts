import { access } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "../components/cache.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { Engine } from "../engine/engine.ts";
import type { Progress } from "../progress.ts";
import { podRoot, nodeRoot } from "./base.ts";
import type { Image } from "./archive.ts";
import { LayerCache } from "./layer.ts";
import { loadIntoDocker } from "./load.ts";
import { nodeImage } from "./node-image.ts";
import { buildPause, ImageBuilder, podImages } from "./pod-images.ts";
import { imageStore } from "./store.ts";

export interface PreparedImages {
  /** Reference of the node image, loaded into Docker. */
  readonly node: string;
  /** Directory that nodes mount at /interlay/images. */
  readonly store: string;
  /** Our own two, which change with every edit and are imported into running nodes. */
  readonly interlay: Image;
  readonly probe: Image;
}

export interface ImageRequest {
  readonly kubernetes: string;
  readonly kubeProxies: readonly string[];
  /** Paths of our own two executables. */
  readonly interlay: string;
  readonly probe: string;
}

/** Everything that runs in a kind cluster, as images, made from the components once. */
export async function prepareImages(
  engine: Engine,
  components: ResolvedComponents,
  { kubernetes, kubeProxies, interlay, probe }: ImageRequest,
  progress: Progress,
): Promise<PreparedImages> {
  const layers = new LayerCache(join(cacheRoot(), "layers"));
  const root = await podRoot(layers, progress);
  const node = await nodeImage(components, kubernetes, await nodeRoot(layers, progress), layers);
  await loadIntoDocker(engine, node);
  const builder = new ImageBuilder(layers, root);
  const pods = await podImages(components, kubernetes, kubeProxies, builder, await pauseProgram());
  return {
    node: node.reference,
    store: await imageStore(engine, node.reference, pods, progress),
    interlay: await builder.ownImage("interlay.dev/interlay", [{ from: interlay, to: "usr/local/bin/interlay" }], {
      Entrypoint: ["/usr/local/bin/interlay"],
    }),
    probe: await builder.ownImage("interlay.dev/probe", [{ from: probe, to: "usr/local/bin/probe" }], {
      Entrypoint: ["/usr/local/bin/probe"],
    }),
  };
}

async function pauseProgram(): Promise<string> {
  const target = join(cacheRoot(), "components", "pause-1", "pause");
  return access(target).then(
    () => target,
    () => buildPause(target),
  );
}
