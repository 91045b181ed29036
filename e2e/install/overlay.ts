import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stringify } from "yaml";
import { findAdmissionVersion } from "../../clusters/kubernetes/admission-version.ts";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";

export type OverlayName = "notrack" | "liberal" | "snat" | "none";

const DEPLOY = join(import.meta.dirname, "..", "..", "plugin", "deploy");

/**
 * Runs `kubectl apply -k` with a kustomization of the overlay and the image, as in docs/install.md.
 * @param deploy the directory plugin/deploy, of another version too
 */
export async function applyOverlay(
  kubectl: Kubectl,
  overlay: OverlayName,
  image: string,
  deploy: string = DEPLOY,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "interlay-overlay-"));
  try {
    const colon = image.lastIndexOf(":");
    const getRelativePath = (...path: readonly string[]) => relative(directory, join(deploy, ...path));
    const admission = await findAdmissionVersion((path) => kubectl.readPath(path));
    const withoutPolicy = join(deploy, "components", "without-admission-policy");
    const needsComponent = admission !== "v1" && existsSync(withoutPolicy); // earlier versions have no policy
    const kustomization = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: [getRelativePath("overlays", overlay)],
      components: needsComponent ? [getRelativePath("components", "without-admission-policy")] : [],
      images: [{ name: "interlay", newName: image.slice(0, colon), newTag: image.slice(colon + 1) }],
    };
    await writeFile(join(directory, "kustomization.yaml"), stringify(kustomization));
    await kubectl.run(["apply", "-k", directory]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
