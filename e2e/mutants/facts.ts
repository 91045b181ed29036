import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, PatchStrategy, setHeaderOptions, type V1NodeAddress } from "@kubernetes/client-node";
import type { Cluster } from "../../clusters/provider.ts";
import { must } from "../agent-process.ts";
import { Eventually } from "../harness.ts";
import type { Variant } from "../matrix/gate.ts";
import { configure } from "../matrix/variant.ts";
import { outsideHost } from "../pods/deploy.ts";

const FACTS = "/var/lib/interlay/facts.json";

type Undo = () => Promise<void>;

/** A fact of one node, wrong or missing: the pods wired by it must be seen to be. */
export interface FactMutant {
  readonly title: string;
  readonly reason: string;
  /** Makes it so, and resolves when the agent knows it, with what takes it back. */
  readonly make: (cluster: Cluster, node: string) => Promise<Undo>;
  /** As with this return path on the node: the gate names the cells. Undefined: cells of the node's own pods. */
  readonly as?: Variant["returnPath"];
  /** Found out by the agent, which would find it out again: it is held while the cells are asked. */
  readonly holdAgent?: true;
  readonly excuse?: string;
}

/** By ConfigMap interlay-config, for this node alone. */
function setting(key: string, value: string): Pick<FactMutant, "make"> {
  return {
    make: async (cluster, node) => {
      await configure(cluster, { [`${node}.${key}`]: value });
      return () => configure(cluster, { [`${node}.${key}`]: null });
    },
  };
}

/** By the Node's status, kept so against its kubelet, which writes its own addresses again and again. */
function nodeAddress(find: (cluster: Cluster, node: string) => Promise<string>): Pick<FactMutant, "make"> {
  return {
    make: async (cluster, name) => {
      const wrong = await find(cluster, name);
      const { address = "", address6 } = cluster.nodes.find((node) => node.name === name) ?? {};
      const status = nodeStatus(cluster, name);
      const others = address6 === undefined ? [] : [address6];
      const keep = { on: true };
      const keepOn = async (): Promise<void> => {
        while (keep.on) {
          if (!(await status.has(wrong))) await status.set([wrong, ...others]);
          await sleep(KEEP_MS);
        }
      };
      const keeping = keepOn();
      const known = (one: string) =>
        Eventually(
          `${name}'s facts have the address ${one}`,
          () => must(cluster, name, ["cat", FACTS]),
          (text) => text.includes(`"${one}"`),
          { interval: 50 },
        );
      await known(wrong);
      return async () => {
        keep.on = false;
        await keeping;
        await status.set([address, ...others]);
        await known(address);
      };
    },
  };
}

const KEEP_MS = 100;
/** A kubelet's address list is replaced as a whole: it is merged by type otherwise (kubernetes/kubernetes issue 79391). */
const REPLACE = { $patch: "replace" } as unknown as V1NodeAddress;
const BY_KEY = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);

function nodeStatus(cluster: Cluster, name: string) {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  return {
    has: async (address: string): Promise<boolean> =>
      (await core.readNode({ name })).status?.addresses?.some((one) => one.address === address) === true,
    set: async (addresses: readonly string[]): Promise<void> => {
      const internal = addresses.map((address) => ({ type: "InternalIP", address }));
      const body = { status: { addresses: [...internal, { type: "Hostname", address: name }, REPLACE] } };
      await core.patchNodeStatus({ name, body }, BY_KEY);
    },
  };
}

/** The facts file, gone until the agent has another fact to write. */
const noFile: Pick<FactMutant, "make"> = {
  make: async (cluster, node) => {
    await must(cluster, node, ["mv", FACTS, `${FACTS}.away`]);
    return async () => {
      await must(cluster, node, ["mv", `${FACTS}.away`, FACTS]);
    };
  },
};

const otherNode = (cluster: Cluster, node: string): Promise<string> =>
  Promise.resolve(cluster.nodes.find(({ role, name }) => role === "worker" && name !== node)?.address ?? "");

async function tunnelAddress(cluster: Cluster, node: string): Promise<string> {
  const said = await must(cluster, node, ["ip", "-4", "-o", "address", "show", "dev", "vxlan.calico"]);
  return / inet ([\d.]+)\//.exec(said)?.[1] ?? "";
}

/** Every fact that the plugin or the return path goes by. In networks of documentation (RFC 5737, RFC 3849) nobody is. */
export const FACT_MUTANTS: readonly FactMutant[] = [
  {
    title: "fact: overlayCidrs are others",
    reason: "pods reach the overlay by their node",
    ...setting("overlayCidrs", "198.51.100.0/24,2001:db8:64::/64"),
  },
  {
    title: "fact: serviceCidrs are others",
    reason: "pods reach Services by their node",
    ...setting("serviceCidrs", "198.51.100.0/24,2001:db8:64::/64"),
  },
  {
    title: "fact: returnPath is none, below v1.29",
    reason: "without a return path kube-proxy drops what it calls INVALID",
    as: "none",
    ...setting("returnPath", "none"),
  },
  {
    title: "fact: returnPath is liberal, below v1.29",
    reason: "before v1.29 kube-proxy drops what it calls INVALID whatever the sysctl is",
    as: "liberal",
    ...setting("returnPath", "liberal"),
  },
  {
    title: "fact: the node's address is another node's",
    reason: "pods reach their node by its own address",
    holdAgent: true,
    ...nodeAddress(otherNode),
  },
  {
    title: "fact: the node's address is its tunnel's (spiderpool issue 3359: a wrong gateway is picked)",
    reason: "what Kubernetes calls the node's address is the gateway, not the first address that a link has",
    holdAgent: true,
    ...nodeAddress(tunnelAddress),
  },
  {
    title: "fact: there are none",
    reason: "a pod that cannot be wired is told to be so, and is not left half wired",
    ...noFile,
  },
  {
    title: "fact: the uplink is another",
    reason: "STATUS tells a runtime that no pod can be wired",
    excuse:
      'no route is decided by it: needed by STATUS, shown by the test "tells that facts are missing, or stale by what the kernel says"',
    ...setting("uplink", "nolink0"),
  },
  {
    title: "fact: hijackCidrs has the world outside",
    reason: "what is hijacked goes by the node, whose conntrack sees one direction of it",
    make: async (cluster, node) => {
      const { address } = outsideHost(await cluster.external());
      return setting("hijackCidrs", `${address}/32`).make(cluster, node);
    },
  },
];
