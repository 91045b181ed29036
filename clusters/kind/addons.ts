import { renderInterlay } from "../../plugin/deploy/render.ts";
import { CALICO_IMAGES, MULTUS_IMAGE } from "../images/pod-images.ts";
import { storeLacks } from "../images/store.ts";
import { renderManifest } from "../manifests/render.ts";
import { applyWithDefinitions } from "./apply.ts";
import { importImages } from "./import-images.ts";
import { listNodes } from "./list-nodes.ts";
import { gatewayOf } from "./network.ts";
import type { Bringup, Step } from "./step.ts";

/** Docker's bridge has 1500 bytes; VXLAN takes 50 of them. */
const OVERLAY_MTU = "1450";

/** Calico, Multus and Interlay, and the images that the nodes lack. */
export const addons: Step = {
  title: () => "install Calico, Multus and Interlay",

  async do(bringup) {
    const multus = installMultus(bringup);
    await Promise.all([
      multus,
      installCalico(bringup),
      importMissing(bringup),
      multus.then(() => installInterlay(bringup)), // its network attachment is of Multus's kind
    ]);
  },
};

async function importMissing({ engine, spec, images }: Bringup): Promise<void> {
  await Promise.all(
    (await listNodes(engine, spec.name)).map(async ({ name, imageStore }) => {
      const lacking = (await storeLacks(imageStore, images.pods)) ?? images.pods;
      await importImages(engine, name, [...lacking, images.interlay, images.probe]);
    }),
  );
}

async function installCalico({ kubectl, components, spec }: Bringup): Promise<void> {
  await kubectl.applyFile(components.path("calico-crds"));
  await kubectl.apply(
    await renderManifest("calico", {
      NODE_IMAGE: CALICO_IMAGES.node,
      CNI_IMAGE: CALICO_IMAGES.cni,
      KUBE_CONTROLLERS_IMAGE: CALICO_IMAGES.kubeControllers,
      OVERLAY_CIDR: spec.overlayCidr,
      MTU: OVERLAY_MTU,
    }),
  );
}

async function installMultus({ kubectl }: Bringup): Promise<void> {
  await applyWithDefinitions(kubectl, await renderManifest("multus", { MULTUS_IMAGE }));
}

async function installInterlay({ kubectl, spec, images }: Bringup): Promise<void> {
  const { underlayCidr: subnet, podRange } = spec;
  const manifest = renderInterlay({
    image: images.interlay.reference,
    returnPath: "notrack",
    pools: [{ name: "underlay", subnet, ranges: [podRange], gateway: gatewayOf(subnet) }],
  });
  await applyWithDefinitions(kubectl, manifest);
}
