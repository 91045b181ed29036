import { CoreV1Api, type KubeConfig, type V1DaemonSet } from "@kubernetes/client-node";
import { z } from "zod";
import { CONFIG_MAP, SYSTEM_NAMESPACE } from "../../../plugin/kubernetes/objects.ts";
import { publishedText } from "../../../plugin/kubernetes/status-schemas.ts";
import { OWNER_LABEL } from "../../provider/provider.ts";
import { listServedObjects } from "../../kubernetes/served-objects.ts";
import { defaultIfUnavailable, findDaemonSet, getImage } from "./read-objects.ts";

/** Interlay in an existing cluster, and the addresses that it may assign. */
export interface InventoryInterlay {
  /** Undefined: it is not installed. */
  readonly interlay?:
    | {
        readonly image: string;
        /** `returnPath` of ConfigMap interlay-config: a return path, or `auto`. */
        readonly setting: string;
        /** Whether a run of the suite has installed it, and removes it. */
        readonly installedBySuite: boolean;
        /** The return path that the agent of each node uses, from its NodeState; undefined: not reported yet. */
        readonly returnPaths: ReadonlyMap<string, string | undefined>;
      }
    | undefined;
  /** Ranges of all UnderlayPools. */
  readonly poolRanges: readonly string[];
  /** Number of UnderlayAddress objects. */
  readonly heldAddresses: number;
}

const addresses = z.object({ items: z.array(z.unknown()) });
const pools = z.object({ items: z.array(z.object({ spec: z.object({ ranges: z.array(z.string()).default([]) }) })) });
const nodeStates = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({ returnPath: z.object({ mode: publishedText }).optional() }).optional(),
    }),
  ),
});

/** Reads Interlay's installation, pools and NodeStates. */
export async function readInterlay(config: KubeConfig, daemonSets: readonly V1DaemonSet[]): Promise<InventoryInterlay> {
  const core = config.makeApiClient(CoreV1Api);
  const configMap = { namespace: SYSTEM_NAMESPACE, name: CONFIG_MAP };
  const list = (plural: string) =>
    defaultIfUnavailable(listServedObjects(config, plural), undefined).then(
      (objects) => objects?.list ?? { items: [] },
    );
  const [settings, poolList, addressList, stateList] = await Promise.all([
    defaultIfUnavailable(core.readNamespacedConfigMap(configMap), undefined),
    list("underlaypools"),
    list("underlayaddresses"),
    list("nodestates"),
  ]);
  const daemonSet = findDaemonSet(daemonSets, (name) => name === "interlay");
  const image = getImage(daemonSet);
  const states = nodeStates.parse(stateList).items;
  return {
    interlay:
      image === undefined
        ? undefined
        : {
            image,
            setting: settings?.data?.["returnPath"] ?? "auto",
            installedBySuite: daemonSet?.metadata?.labels?.[OWNER_LABEL] !== undefined,
            returnPaths: new Map(
              states.map(({ metadata, status }) => [metadata.name, status?.returnPath?.mode ?? undefined]),
            ),
          },
    poolRanges: pools.parse(poolList).items.flatMap(({ spec }) => spec.ranges),
    heldAddresses: addresses.parse(addressList).items.length,
  };
}
