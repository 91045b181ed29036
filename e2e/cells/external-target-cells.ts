import { POD_TYPES } from "../../results/schema.ts";
import { podName } from "../pods/suite-pods.ts";
import { type Cell, makeCell } from "./cell.ts";
import type { Features } from "./features.ts";

/** Returns a cell from each pod type on each worker to the target that the user names. */
export function listExternalTargetCells(workers: number, { externalTarget: protocol }: Features): readonly Cell[] {
  if (protocol === undefined) return [];
  return Array.from({ length: workers }, (_, node) => node).flatMap((sourceNode) =>
    POD_TYPES.map((source) =>
      makeCell({
        group: "external-target",
        source,
        from: podName(source, sourceNode, "a"),
        sourceNode,
        target: "external-target",
        to: { kind: "external-target" },
        placement: "outside",
        protocol,
        reaches: undefined,
      }),
    ),
  );
}
