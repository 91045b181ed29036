import type { Nic } from "../cells/cell.ts";
import type { ClusterApi } from "../support/cluster-api.ts";

/** Requirements of a fault on the cluster. The faulty node is the first worker. */
export interface TraceFaultContext {
  readonly api: ClusterApi;
  /** Runs a program on the faulty node. @throws an error with its stderr if it fails */
  readonly execOnNode: (argv: readonly string[], stdin?: string) => Promise<string>;
  /** Runs a program of the faulty node in the network namespace of one of its pods. @throws as `execOnNode` */
  readonly runInPod: (pod: string, argv: readonly string[], stdin?: string) => Promise<string>;
  readonly getAddress: (pod: string, nic?: Nic) => string;
  readonly getServiceAddress: (service: string) => string;
  /** Address of a worker, by its index. */
  readonly getNodeAddress: (worker: number) => string;
  /** Name of the node's link to the pod's address. */
  readonly findLink: (pod: string, nic?: Nic) => Promise<string>;
  /** Stops or continues Calico's agent on the faulty node, which repairs what it owns. */
  readonly signalFelix: (signal: "STOP" | "CONT") => Promise<void>;
  /** Removes learned neighbours of every node and pod, so that none hides or outlives the fault. */
  readonly forgetNeighbours: () => Promise<void>;
}

/** A fault of a cluster that no check of the doctor was written for. */
export interface TraceFault {
  readonly title: string;
  /** Whether the fault makes no cell fail, which the trace must predict too. */
  readonly harmless?: true;
  make(context: TraceFaultContext): Promise<void>;
  undo(context: TraceFaultContext): Promise<void>;
}

type Commands = (
  context: TraceFaultContext,
) => readonly (readonly string[])[] | Promise<readonly (readonly string[])[]>;

/** Returns a fault that commands on the faulty node make, and others undo. */
export function makeCommandFault(
  title: string,
  make: Commands,
  undo: Commands,
  options: Pick<TraceFault, "harmless"> = {},
): TraceFault {
  const run = async (context: TraceFaultContext, commands: Commands) => {
    for (const argv of await commands(context)) await context.execOnNode(argv);
  };
  return { ...options, title, make: (context) => run(context, make), undo: (context) => run(context, undo) };
}

/** Name of the nftables table of a fault. */
const TABLE = "trace_fault";

/**
 * Returns a fault of an nftables table that nobody else uses.
 *
 * @param family family of the table
 * @param build body of the table
 */
export function makeNftFault(
  title: string,
  family: "ip" | "inet" | "netdev",
  build: (context: TraceFaultContext) => string | Promise<string>,
  options: Pick<TraceFault, "harmless"> & { readonly pod?: string } = {},
): TraceFault {
  const { pod, ...flags } = options;
  const run = (context: TraceFaultContext, argv: readonly string[], stdin?: string) =>
    pod === undefined ? context.execOnNode(argv, stdin) : context.runInPod(pod, argv, stdin);
  return {
    ...flags,
    title,
    make: async (context) => {
      await run(context, ["nft", "-f", "-"], `table ${family} ${TABLE} {\n${await build(context)}\n}\n`);
    },
    undo: async (context) => {
      await run(context, ["nft", "delete", "table", family, TABLE]);
    },
  };
}

/** Returns the text of an nftables chain with one hook. @param clause further words of the hook, such as `device eth0` */
export function formatChain(hook: string, priority: number, rules: readonly string[], clause = ""): string {
  return [
    `  chain ${hook} {`,
    `    type filter hook ${hook} ${clause} priority ${priority}; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    "  }",
  ].join("\n");
}
