import { join, relative, sep } from "node:path";
import { $ } from "zx";
import { getCacheRoot } from "../../clusters/components/cache.ts";
import { type ComponentRef, listKindComponents } from "../../clusters/components/catalog.ts";
import { buildInterlayExecutables } from "../../clusters/components/interlay-executables.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import type { Image } from "../../clusters/images/archive.ts";
import { prepareImages } from "../../clusters/images/prepare.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import { buildProbe } from "../../e2e/probe/build-probe.ts";

export const KIT_SOURCE = join(import.meta.dirname, "..", "..");

/** Contents of a kit: paths relative to the project, and relative to the cache. */
export interface KitContents {
  readonly project: readonly string[];
  readonly cache: readonly string[];
}

interface KitOptions {
  readonly kubernetes: string;
  readonly kubeProxies: readonly string[];
  /** Whether the kit contains images and nodes for kind; a lab needs none. */
  readonly kind: boolean;
}

/** Builds missing components and lists the contents of a kit. */
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
  const layers =
    images === undefined ? [] : listLayerFiles([images.node, ...images.pods, images.interlay, images.probe]);
  const tracked = (await $`git -C ${KIT_SOURCE} ls-files -z`).stdout.split("\0").filter((path) => path !== "");
  const built = [interlay.launcher, interlay.full, probe]
    .flatMap((path) => [path, `${path}.sources`])
    .map((path) => relative(KIT_SOURCE, path));
  return {
    project: [...tracked, ...built, "node_modules"],
    cache: [...new Set([...paths, ...(kind ? [join("components", "pause-1")] : []), ...layers])].sort(),
  };
}

/**
 * Returns the component directory in the cache that contains a program.
 * @throws if the program is outside of the cache, where the kit cannot take it from
 */
export function findComponentDirectory(path: string, { name, version }: ComponentRef): string {
  const below = relative(getCacheRoot(), path);
  const [folder, directory] = below.split(sep);
  if (folder !== "components" || directory === undefined)
    throw new Error(`${name} ${version} is used from ${path}: remove it from PATH, so that the kit contains it`);
  return directory === "released" ? below : join(folder, directory);
}

function listLayerFiles(images: readonly Image[]): readonly string[] {
  const tars = images.flatMap((image) => image.layers.map(({ tar }) => relative(getCacheRoot(), tar)));
  return tars.flatMap((tar) => [tar, `${tar}.json`]);
}
