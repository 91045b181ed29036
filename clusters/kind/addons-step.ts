import { readMissingImages } from "../images/store.ts";
import { installAddons } from "../addons/install-addons.ts";
import { importImages } from "./import-images.ts";
import { listNodes } from "./list-nodes.ts";
import type { Bringup, Step } from "./step.ts";

/** Installs Calico, Multus and Interlay, and imports the images that nodes lack. */
export const addonsStep: Step = {
  title: () => "install Calico, Multus and Interlay",

  async do(bringup) {
    const { kubectl, components, spec, images } = bringup;
    const interlay = images.interlay.reference;
    await Promise.all([
      importMissing(bringup),
      installAddons(kubectl, { spec, interlay, calicoCrds: components.path("calico-crds") }),
    ]);
  },
};

async function importMissing({ engine, spec, images }: Bringup): Promise<void> {
  await Promise.all(
    (await listNodes(engine, spec.name)).map(async ({ name, imageStore }) => {
      const missing = (await readMissingImages(imageStore, images.pods)) ?? images.pods;
      await importImages(engine, name, [...missing, images.interlay, images.probe]);
    }),
  );
}
