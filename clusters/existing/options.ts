import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";

/** Options of a run on an existing cluster, parsed from the environment like all options of a run. */
const environment = z.object({
  /** Without it: $KUBECONFIG, else ~/.kube/config, else the service account of the pod that this runs in. */
  INTERLAY_KUBECONFIG: z.string().optional(),
  INTERLAY_CONTEXT: z.string().optional(),
  /** CIDR or `first-last` that addresses of the suite's pods come from; else Interlay's own pools. */
  INTERLAY_POOL: z.string().optional(),
  /** The underlay that the pool is of, in CIDR notation; else read on the nodes. */
  INTERLAY_SUBNET: z.string().optional(),
  /** Parent of the macvlan links; else each node's link with the default route. */
  INTERLAY_UPLINK: z.string().optional(),
  /** `NAMESPACE/NAME` of the NetworkAttachmentDefinition that underlay links are made from. */
  INTERLAY_NETWORK: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, "--network: write it as NAMESPACE/NAME")
    .optional(),
  INTERLAY_DATAPATH: z.enum(["interlay", "none"], "--datapath: interlay or none").default("interlay"),
  /** References that the nodes can pull, or have. */
  INTERLAY_IMAGE: z.string().optional(),
  INTERLAY_AGENT_IMAGE: z.string().optional(),
  INTERLAY_NODES: z.coerce.number().int().min(1).default(2),
  INTERLAY_HOST_PODS: z.stringbool().default(true),
});

export interface ExistingOptions {
  /** Undefined: the default one, as kubectl finds it. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly pool?: string;
  readonly subnet?: string;
  readonly uplink?: string;
  readonly network?: string;
  /** `none`: another coexistence solution is judged, and Interlay is neither needed nor installed. */
  readonly datapath: "interlay" | "none";
  /** Image of the probe. */
  readonly image?: string;
  /** Image of Interlay, where it has to be installed. */
  readonly agentImage?: string;
  /** How many workers get pods at most. */
  readonly workers: number;
  /** Whether pods may be made in the nodes' own network. */
  readonly hostPods: boolean;
}

/** Throws in one sentence. */
export function parseExistingOptions(env: NodeJS.ProcessEnv = process.env): ExistingOptions {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`${parsed.error.issues.map(({ message }) => message).join("; ")}.`);
  const { data } = parsed;
  const given = {
    kubeconfig: data.INTERLAY_KUBECONFIG,
    context: data.INTERLAY_CONTEXT,
    pool: data.INTERLAY_POOL,
    subnet: data.INTERLAY_SUBNET,
    uplink: data.INTERLAY_UPLINK,
    network: data.INTERLAY_NETWORK,
    image: data.INTERLAY_IMAGE,
    agentImage: data.INTERLAY_AGENT_IMAGE,
  };
  return {
    workers: data.INTERLAY_NODES,
    datapath: data.INTERLAY_DATAPATH,
    hostPods: data.INTERLAY_HOST_PODS,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== "")),
  };
}

/** Throws when the file has no such context. */
export function loadKubeConfig({ kubeconfig, context }: ExistingOptions): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new Error(
        `${kubeconfig ?? "the default kubeconfig"} has no context "${context}": it has ${config
          .getContexts()
          .map(({ name }) => name)
          .join(", ")}.`,
      );
    config.setCurrentContext(context);
  }
  return config;
}
