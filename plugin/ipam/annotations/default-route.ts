import { CniError, CODE } from "../../cni/error.ts";

export const DEFAULT_ROUTE_ANNOTATION = "interlay.dev/default-route-nic";
const NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks";

type Annotations = Readonly<Record<string, string>>;

/** Parses the annotation for the NIC with the default route. @throws CniError listing the pod's NICs if it is none of them */
export function parseDefaultRouteNic(annotations: Annotations, pod: string): string | undefined {
  const requested = annotations[DEFAULT_ROUTE_ANNOTATION]?.trim();
  if (requested === undefined || requested === "") return undefined;
  const nics = listPodNics(annotations);
  if (nics.includes(requested)) return requested;
  throw new CniError(
    CODE.unsupportedPod,
    `invalid annotation ${DEFAULT_ROUTE_ANNOTATION} "${requested}" of pod ${pod}: the pod's NICs are ${nics.join(", ")}`,
  );
}

/** Lists eth0 and the NICs of Multus's annotation: by their names, otherwise net1, net2, … by position. */
export function listPodNics(annotations: Annotations): readonly string[] {
  const text = annotations[NETWORKS_ANNOTATION]?.trim() ?? "";
  if (text === "") return ["eth0"];
  const names = text.startsWith("[") ? parseJsonNames(text) : text.split(",").map((word) => word.split("@")[1]?.trim());
  return ["eth0", ...names.map((name, index) => name ?? `net${index + 1}`)];
}

/** Returns no names for invalid JSON: Multus rejects it. */
function parseJsonNames(text: string): readonly (string | undefined)[] {
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) return [];
    return list.map((selection: unknown) =>
      typeof selection === "object" &&
      selection !== null &&
      "interface" in selection &&
      typeof selection.interface === "string"
        ? selection.interface
        : undefined,
    );
  } catch {
    return [];
  }
}
