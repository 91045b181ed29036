import { findRunningEngine } from "../docker/engine.ts";
import { buildInterlayExecutables } from "../components/interlay-executables.ts";
import { prepareOwnImages } from "../images/prepare.ts";
import { importImages } from "../kind/import-images.ts";
import { listNodeIds } from "../kind/list-nodes.ts";
import type { Progress } from "../progress/progress.ts";
import { runTimed } from "../components/timed.ts";
import type { ImageSource } from "./selection.ts";

/** References of the suite's images in a cluster. */
interface OwnImages {
  readonly probe: string;
  readonly interlay: string;
  /** Sentences that name objects which stay on the nodes after the run. */
  readonly remains: readonly string[];
}

/**
 * Returns images of the probe and of Interlay that the nodes can use. Loads them into the nodes of a kind cluster.
 *
 * @param probe path of the probe's executable
 * @param agentImage image of Interlay, if the user named one
 * @throws if the nodes are not those of a lab or of a local kind cluster, and the user named no image
 */
export async function placeImages(
  source: ImageSource,
  { probe, agentImage }: { readonly probe: string; readonly agentImage: string | undefined },
  progress: Progress,
): Promise<OwnImages> {
  switch (source.kind) {
    case "lab":
      return { probe: "interlay.dev/probe:lab", interlay: "interlay.dev/interlay:lab", remains: [] };
    case "named":
      return {
        probe: source.probe,
        interlay: agentImage ?? "",
        remains: ["pulled images stay on the nodes until kubelet removes them"],
      };
    case "kind":
      return loadIntoKind(source.cluster, probe, progress);
    case "unknown":
      throw new Error("Cannot load images into these nodes: name the probe's image with --image.");
  }
}

async function loadIntoKind(cluster: string, probe: string, progress: Progress): Promise<OwnImages> {
  const engine = await findRunningEngine();
  const nodes = engine === undefined ? [] : await listNodeIds(engine, cluster);
  if (engine === undefined || nodes.length === 0)
    throw new Error(
      `The nodes of the kind cluster ${cluster} are not containers of this computer's Docker: name the probe's image with --image.`,
    );
  const images = await prepareOwnImages({ interlay: await buildInterlayExecutables(progress), probe }, progress);
  await runTimed(progress, "load the images into kind's nodes", () =>
    Promise.all(nodes.map((node) => importImages(engine, node, [images.probe, images.interlay]))),
  );
  return {
    probe: images.probe.reference,
    interlay: images.interlay.reference,
    remains: [`the images ${images.probe.reference} and ${images.interlay.reference} stay on kind's nodes`],
  };
}
