/** A flag of commands with a value, the environment variable that carries it, and its description. */
type OptionFlag = readonly [flags: string, variable: string, description: string];

/** The flag for the kubeconfig. It is separate, because reports do not contain its path. */
export const KUBECONFIG_FLAG: OptionFlag = [
  "--kubeconfig <file>",
  "INTERLAY_KUBECONFIG",
  "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)",
];

/** The flag for another solution than Interlay. */
export const DATAPATH_FLAG: OptionFlag = [
  "--datapath <which>",
  "INTERLAY_DATAPATH",
  "interlay, or none to test another solution that is installed there",
];

/** Further flags of an existing cluster. */
export const SINGLE_FLAGS: readonly OptionFlag[] = [
  ["--context <name>", "INTERLAY_CONTEXT", "context of the kubeconfig (default: its current context)"],
  ["--network <namespace/name>", "INTERLAY_NETWORK", "NetworkAttachmentDefinition of the underlay"],
  ["--pool <range>", "INTERLAY_POOL", "CIDR or first-last: addresses for the suite's pods"],
  [
    "--subnet <cidr>",
    "INTERLAY_SUBNET",
    "underlay that contains the pool (default: as the nodes' links are configured)",
  ],
  [
    "--uplink <link>",
    "INTERLAY_UPLINK",
    "link on which Interlay is installed (default: the link of the default route)",
  ],
  ["--image <reference>", "INTERLAY_IMAGE", "image of the probe, as the nodes pull it"],
  ["--agent-image <reference>", "INTERLAY_AGENT_IMAGE", "image of Interlay, if it must be installed"],
  [
    "--external <target>",
    "INTERLAY_EXTERNAL",
    "http(s) URL, ADDRESS (pinged) or ADDRESS:PORT outside of the cluster, which every pod type must reach",
  ],
  ["--node-selector <labels>", "INTERLAY_NODE_SELECTOR", "only nodes with these labels get pods, in kubectl's syntax"],
  ["--namespace <name>", "INTERLAY_NAMESPACE", "namespace of the suite's pods (default: interlay-suite)"],
  [
    "--pod-resources <amounts>",
    "INTERLAY_POD_RESOURCES",
    "requests and limits of the suite's pods: cpu=100m,memory=64Mi",
  ],
];

/** Flags that may be given several times; the variable has one value per line. */
export const LIST_FLAGS: readonly OptionFlag[] = [
  ["--pod-annotation <key=value>", "INTERLAY_POD_ANNOTATIONS", "annotation of the suite's pods; may be repeated"],
  [
    "--toleration <taint>",
    "INTERLAY_TOLERATIONS",
    "key=value:effect; may be repeated (default: every taint is tolerated)",
  ],
  [
    "--pull-secret <namespace/name>",
    "INTERLAY_PULL_SECRETS",
    "secret for the images' registry, copied into the suite's namespaces; may be repeated",
  ],
];
