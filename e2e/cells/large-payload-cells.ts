import { POD_TYPES } from "../../results/schema.ts";
import { podName } from "../pods/suite-pods.ts";
import { type Cell, isOnUnderlay, listNics, listPlacements, makeCell } from "./cell.ts";

/** Bytes in each direction, more than one packet holds: path MTU discovery and fragments must work. */
const LARGE_BYTES = { tcp: 1_000_000, udp: 4_000 } as const;

/** Returns cells from each pod type to each address of each pod type, on the same node and on another one. */
export function listLargePayloadCells(workers: number): readonly Cell[] {
  return Array.from({ length: workers }, (_, node) => node).flatMap((sourceNode) =>
    POD_TYPES.flatMap((source) =>
      listPlacements(sourceNode, workers).flatMap(([targetNode, placement]) =>
        POD_TYPES.flatMap((type) =>
          listNics(type).flatMap((nic) =>
            (["tcp", "udp"] as const).map((protocol) =>
              makeCell({
                group: "large-payload",
                source,
                from: podName(source, sourceNode, "a"),
                sourceNode,
                target: type,
                to: { kind: "pod", pod: podName(type, targetNode, "b"), nic },
                placement,
                protocol,
                server: podName(type, targetNode, "b"),
                reaches: { type, node: targetNode, nic },
                toOverlayAddress: !isOnUnderlay(type, nic),
                bytes: LARGE_BYTES[protocol],
              }),
            ),
          ),
        ),
      ),
    ),
  );
}
