import { join, relative, sep } from "node:path";
import { $ } from "zx";
import { getCacheRoot } from "../../clusters/components/cache.ts";
import { type ComponentRef, listKindComponents } from "../../clusters/components/catalog.ts";
import { buildInterlayExecutables } from "../../clusters/components/interlay.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import type { Image } from "../../clusters/images/archive.ts";
import { prepareImages } from "../../clusters/images/prepare.ts";
import type { Progress } from "../../clusters/progress.ts";
import { buildProbe } from "../../e2e/probe/build.ts";

export const ROOT = join(import.meta.dirname, "..", "..");

/** What goes into a kit: paths below the project's directory, and paths below the cache's. */
export interface KitContents {
  readonly project: readonly string[];
  readonly cache: readonly string[];
}

export interface KitOptions {
  readonly kubernetes: string;
  readonly kubeProxies: readonly string[];
  /** Whether images and nodes of kind are in it; a lab has none. */
  readonly kind: boolean;
}

/** Makes what is missing, then says where everything lies. */
export async function listContents(
  { kubernetes, kubeProxies, kind }: KitOptions,
  progress: Progress,
): Promise<KitContents> {
  const [interlay, probe] = [await buildInterlayExecutables(progress), await buildProbe()];
  const refs = listKindComponents(kubernetes, kubeProxies);
  const components = await resolveComponents(refs, progress);
  const paths = refs.map(({ name, version }) =>
    findComponentDirectory(components.path(name, version), { name, version }),
  );
  const images = kind
    ? await prepareImages(components, { kubernetes, kubeProxies, interlay, probe }, progress)
    : undefined;
  const layers = images === undefined ? [] : layerFiles([images.node, ...images.pods, images.interlay, images.probe]);
  const tracked = (await $`git -C ${ROOT} ls-files -z`).stdout.split("\0").filter((path) => path !== "");
  const made = [interlay.launcher, interlay.full, probe]
    .flatMap((path) => [path, `${path}.sources`])
    .map((path) => relative(ROOT, path));
  return {
    project: [...tracked, ...made, "node_modules"],
    cache: [...new Set([...paths, ...(kind ? [join("components", "pause-1")] : []), ...layers])].sort(),
  };
}

/** The directory of the cache that a program came in. Throws for one that lies elsewhere: another machine has not got it. */
export function findComponentDirectory(path: string, { name, version }: ComponentRef): string {
  const below = relative(getCacheRoot(), path);
  const [room, directory] = below.split(sep);
  if (room !== "components" || directory === undefined)
    throw new Error(`${name} ${version} is used from ${path}: take it off PATH, so that the kit gets one of its own.`);
  return directory === "released" ? below : join(room, directory);
}

function layerFiles(images: readonly Image[]): readonly string[] {
  const tars = images.flatMap((image) => image.layers.map(({ tar }) => relative(getCacheRoot(), tar)));
  return tars.flatMap((tar) => [tar, `${tar}.json`]);
}
