import { findRunningEngine } from "../docker/engine.ts";
import { buildInterlayExecutables } from "../components/interlay.ts";
import { prepareOwnImages } from "../images/prepare.ts";
import { importImages } from "../kind/import-images.ts";
import { listNodeIds } from "../kind/list-nodes.ts";
import type { Progress } from "../progress.ts";
import { runTimed } from "../components/timed.ts";
import type { ImageSource } from "./selection.ts";

export interface OwnImages {
  readonly probe: string;
  readonly interlay: string;
  /** One sentence for each thing that stays on the nodes. */
  readonly left: readonly string[];
}

/**
 * References under which the nodes have, or find, our two images.
 * @param probe path of the probe's executable
 * @param agentImage of Interlay, where it was named
 */
export async function placeImages(
  source: ImageSource,
  { probe, agentImage }: { readonly probe: string; readonly agentImage: string | undefined },
  progress: Progress,
): Promise<OwnImages> {
  switch (source.kind) {
    case "lab":
      return { probe: "interlay.dev/probe:lab", interlay: "interlay.dev/interlay:lab", left: [] };
    case "named":
      return {
        probe: source.probe,
        interlay: agentImage ?? "",
        left: ["images that the nodes have pulled stay there until their kubelets want the space"],
      };
    case "kind":
      return loadIntoKind(source.cluster, probe, progress);
    case "unknown":
      throw new Error("Name the probe's image with --image: how it gets to these nodes is not known.");
  }
}

async function loadIntoKind(cluster: string, probe: string, progress: Progress): Promise<OwnImages> {
  const engine = await findRunningEngine();
  const nodes = engine === undefined ? [] : await listNodeIds(engine, cluster);
  if (engine === undefined || nodes.length === 0)
    throw new Error(
      `The nodes of the kind cluster ${cluster} are not on this computer's Docker: name the probe's image with --image.`,
    );
  const own = await prepareOwnImages({ interlay: await buildInterlayExecutables(progress), probe }, progress);
  await runTimed(progress, "load the images into kind's nodes", () =>
    Promise.all(nodes.map((node) => importImages(engine, node, [own.probe, own.interlay]))),
  );
  return {
    probe: own.probe.reference,
    interlay: own.interlay.reference,
    left: [`the images ${own.probe.reference} and ${own.interlay.reference} stay on kind's nodes`],
  };
}
