import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashContent } from "../components/cache.ts";
import { createContentTag, type Image } from "./archive.ts";
import { identifyFile, LayerCache } from "./layer.ts";
import { getLayersDirectory } from "./prepare.ts";

const PROGRAM = "usr/local/bin/crane";
/** Directory of the registry's contents. */
const CONTENTS = "srv";

/**
 * Builds the image of a registry of container images.
 * @param crane path of the program, which is linked statically
 */
export async function buildRegistryImage(crane: string): Promise<Image> {
  const key = `layer-${hashContent("registry", await identifyFile(crane))}`;
  const layer = await new LayerCache(getLayersDirectory()).ensure(key, "root", async (directory) => {
    await mkdir(join(directory, CONTENTS));
    await mkdir(dirname(join(directory, PROGRAM)), { recursive: true });
    await copyFile(crane, join(directory, PROGRAM));
  });
  const image = {
    layers: [layer],
    // crane ends on SIGINT only.
    config: { Entrypoint: [`/${PROGRAM}`, "registry", "serve", "--disk", `/${CONTENTS}`], StopSignal: "SIGINT" },
  };
  return { ...image, reference: `interlay.dev/registry:${createContentTag(image)}` };
}
