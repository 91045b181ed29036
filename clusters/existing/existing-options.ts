import { z } from "zod";
import { type ExternalTarget, parseExternalTarget } from "../spec/external-target.ts";
import type { PodSettings } from "../spec/pod-settings.ts";
import { parsePodSettings, splitList } from "./parse-pod-settings.ts";

/** Environment variables with the options of a run on an existing cluster. */
const environment = z.object({
  /** Default: $KUBECONFIG, then ~/.kube/config, then the service account of this pod. */
  INTERLAY_KUBECONFIG: z.string().optional(),
  INTERLAY_CONTEXT: z.string().optional(),
  /** CIDR or `FIRST-LAST` of the suite's pods; default: Interlay's pools. */
  INTERLAY_POOL: z.string().optional(),
  /** CIDR of the pool's underlay; default: read on the nodes. */
  INTERLAY_SUBNET: z.string().optional(),
  /** Parent of the macvlan links; default: each node's link with the default route. */
  INTERLAY_UPLINK: z.string().optional(),
  /** NetworkAttachmentDefinition of the underlay links. */
  INTERLAY_NETWORK: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, "invalid --network: want NAMESPACE/NAME")
    .optional(),
  INTERLAY_DATAPATH: z.enum(["interlay", "none"], "invalid --datapath: want interlay or none").default("interlay"),
  /** Image references that the nodes can pull, or have. */
  INTERLAY_IMAGE: z.string().optional(),
  INTERLAY_AGENT_IMAGE: z.string().optional(),
  INTERLAY_NODES: z.coerce.number().int().min(1).default(2),
  /** Label selector in kubectl's syntax. */
  INTERLAY_NODE_SELECTOR: z.string().optional(),
  /** URL, `ADDRESS` or `ADDRESS:PORT`. */
  INTERLAY_EXTERNAL: z.string().optional(),
  INTERLAY_HOST_PODS: z.stringbool().default(true),
  INTERLAY_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,55}[a-z0-9])?$/, "invalid --namespace: want a DNS label of at most 57 characters")
    .default("interlay-suite"),
  /** `key=value`, one per line. */
  INTERLAY_POD_ANNOTATIONS: z.string().optional(),
  /** `key=value:effect`, one per line. */
  INTERLAY_TOLERATIONS: z.string().optional(),
  /** `name=amount`, separated by commas. */
  INTERLAY_POD_RESOURCES: z.string().optional(),
  /** `NAMESPACE/NAME`, one per line. */
  INTERLAY_PULL_SECRETS: z
    .string()
    .regex(/^([^/\s]+\/[^/\s]+\n?)*$/, "invalid --pull-secret: want NAMESPACE/NAME")
    .default(""),
});

/** Options of a run on an existing cluster. */
export interface ExistingOptions {
  /** Undefined: kubectl's default. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly pool?: string;
  readonly subnet?: string;
  readonly uplink?: string;
  readonly network?: string;
  /** `none`: another coexistence solution is tested, and Interlay is not installed. */
  readonly datapath: "interlay" | "none";
  /** Image of the probe. */
  readonly image?: string;
  /** Image of Interlay, if it must be installed. */
  readonly agentImage?: string;
  /** Maximum number of workers that get pods. */
  readonly workers: number;
  /** Label selector of the nodes that may get pods. */
  readonly nodeSelector?: string;
  /** A target outside of the cluster, which pods must reach. */
  readonly externalTarget?: ExternalTarget;
  /** Whether the suite may create pods in the nodes' network. */
  readonly hostPods: boolean;
  /** Namespace of the suite's pods. */
  readonly namespace: string;
  readonly podSettings: PodSettings;
  /** Secrets for the registry, as `NAMESPACE/NAME`: the run copies them into its namespaces. */
  readonly pullSecrets: readonly string[];
}

/** Parses the options from environment variables. @throws if some are invalid; the message names all of them */
export function parseExistingOptions(env: NodeJS.ProcessEnv = process.env): ExistingOptions {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`${parsed.error.issues.map(({ message }) => message).join("; ")}.`);
  const { data } = parsed;
  const fromFlags = {
    kubeconfig: data.INTERLAY_KUBECONFIG,
    context: data.INTERLAY_CONTEXT,
    pool: data.INTERLAY_POOL,
    subnet: data.INTERLAY_SUBNET,
    uplink: data.INTERLAY_UPLINK,
    network: data.INTERLAY_NETWORK,
    image: data.INTERLAY_IMAGE,
    agentImage: data.INTERLAY_AGENT_IMAGE,
    nodeSelector: data.INTERLAY_NODE_SELECTOR,
  };
  return {
    workers: data.INTERLAY_NODES,
    datapath: data.INTERLAY_DATAPATH,
    hostPods: data.INTERLAY_HOST_PODS,
    namespace: data.INTERLAY_NAMESPACE,
    ...(data.INTERLAY_EXTERNAL === undefined ? {} : { externalTarget: parseExternalTarget(data.INTERLAY_EXTERNAL) }),
    pullSecrets: splitList(data.INTERLAY_PULL_SECRETS, "\n"),
    podSettings: parsePodSettings({
      annotations: data.INTERLAY_POD_ANNOTATIONS,
      tolerations: data.INTERLAY_TOLERATIONS,
      resources: data.INTERLAY_POD_RESOURCES,
    }),
    ...Object.fromEntries(Object.entries(fromFlags).filter(([, value]) => value !== undefined && value !== "")),
  };
}
