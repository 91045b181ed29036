import type { KubeConfig } from "@kubernetes/client-node";
import { runTimed } from "../../clusters/components/timed.ts";
import { findRunningEngine } from "../../clusters/docker/engine.ts";
import { placeImages } from "../../clusters/existing/place-images.ts";
import { readInventoryNodes } from "../../clusters/existing/inventory/read-nodes.ts";
import { chooseImageSource } from "../../clusters/existing/selection.ts";
import { buildSuiteImage } from "../../clusters/images/suite-image.ts";
import { importImages } from "../../clusters/kind/import-images.ts";
import { listNodeIds } from "../../clusters/kind/list-nodes.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import { buildProbe } from "../../e2e/probe/build-probe.ts";

/** Images that the user named. */
interface NamedImages {
  readonly suite?: string;
  readonly probe?: string;
}

/** The images of a run in the cluster, as its nodes find them. */
interface PlacedImages {
  readonly suite: string;
  readonly probe: string;
  /** Image of Interlay, if it was built for these nodes. */
  readonly interlay?: string;
}

/**
 * Returns the named images, or builds them and loads them into the nodes of a kind cluster on this computer.
 * @throws if the nodes are not kind's and an image is not named
 */
export async function placeSuite(config: KubeConfig, named: NamedImages, progress: Progress): Promise<PlacedImages> {
  if (named.suite !== undefined && named.probe !== undefined) return { suite: named.suite, probe: named.probe };
  const source = chooseImageSource(await readInventoryNodes(config), {});
  if (source.kind === "lab")
    throw new Error("the nodes of a lab have no images: run the suite from outside (--provider existing), or use kind");
  if (source.kind !== "kind")
    throw new Error(
      "these nodes are not kind's: build the images by npm run build -- --suite, push them, and name them with --suite-image and --image",
    );
  const probe = await buildProbe();
  const ownImages = await placeImages(source, { probe, agentImage: undefined }, progress);
  const engine = await findRunningEngine();
  if (engine === undefined) throw new Error("Docker does not run on this computer");
  const suite = await runTimed(progress, "build the suite's image", () => buildSuiteImage(probe, progress));
  const nodes = await listNodeIds(engine, source.cluster);
  await runTimed(progress, "load the suite's image into kind's nodes", () =>
    Promise.all(nodes.map((node) => importImages(engine, node, [suite]))),
  );
  return { suite: named.suite ?? suite.reference, probe: named.probe ?? ownImages.probe, interlay: ownImages.interlay };
}
