import { parseAllDocuments } from "yaml";
import type { ResolvedComponents } from "../components/resolve.ts";
import { CALICO_IMAGES, MULTUS_IMAGE } from "../images/pod-images.ts";
import { renderManifest } from "../manifests/render.ts";
import type { ClusterSpec } from "../provider.ts";
import type { Kubectl } from "./kubectl.ts";

/** Docker's bridge has 1500 bytes; VXLAN takes 50 of them. */
const OVERLAY_MTU = "1450";

/** Calico: its CRDs, then everything else. */
export async function installCalico(
  kubectl: Kubectl,
  components: ResolvedComponents,
  spec: ClusterSpec,
): Promise<void> {
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

export async function installMultus(kubectl: Kubectl): Promise<void> {
  await kubectl.apply(await renderManifest("multus", { MULTUS_IMAGE }));
}

/** A manifest with CRDs and objects of them: the definitions first, established, then the rest. */
export async function applyWithDefinitions(kubectl: Kubectl, manifest: string): Promise<void> {
  const documents = parseAllDocuments(manifest).map((document) => ({
    kind: String(document.get("kind")),
    text: String(document),
  }));
  const join = (wanted: readonly { readonly text: string }[]) => wanted.map(({ text }) => text).join("---\n");
  const definitions = documents.filter(({ kind }) => kind === "CustomResourceDefinition" || kind === "Namespace");
  const others = documents.filter((document) => !definitions.includes(document));
  if (definitions.length > 0) {
    await kubectl.apply(join(definitions));
    await kubectl.run(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
  }
  await kubectl.apply(join(others));
}
