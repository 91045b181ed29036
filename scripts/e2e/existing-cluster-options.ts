import { type Command, Option } from "commander";
import type { Variables } from "../../e2e/support/options.ts";

const GROUP = "Options for --provider existing:";
/** Options with a value, and the variable of each: its name in a child process's environment. */
const OPTIONS = [
  ["--kubeconfig <file>", "INTERLAY_KUBECONFIG", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)"],
  ["--context <name>", "INTERLAY_CONTEXT", "context of the kubeconfig (default: its current context)"],
  ["--datapath <which>", "INTERLAY_DATAPATH", "interlay, or none to test another solution that is installed there"],
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
] as const;
/** Options that may be given several times; the variable has one value a line. */
const LISTS = [
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
] as const;

/** Adds the options for an existing cluster to a command. */
export function addExistingClusterOptions(command: Command): Command {
  for (const [flags, , description] of OPTIONS) command.addOption(new Option(flags, description).helpGroup(GROUP));
  for (const [flags, , description] of LISTS)
    command.addOption(
      new Option(flags, description)
        .helpGroup(GROUP)
        .argParser((value, previous: readonly string[] | undefined) => [...(previous ?? []), value]),
    );
  return command
    .addOption(new Option("--yes", "run the suite there; without it, nothing is changed").helpGroup(GROUP))
    .addOption(new Option("--no-host-pods", "skip what needs pods in the host network").helpGroup(GROUP));
}

/** Returns the options for an existing cluster as variables for `parseExistingOptions`; those that are not given are left out. */
export function listExistingClusterVariables(command: Command): Variables {
  const values = command.opts<Readonly<Record<string, unknown>>>();
  const given = [...OPTIONS, ...LISTS].flatMap(([flags, variable]) => {
    const value = values[new Option(flags).attributeName()];
    if (Array.isArray(value)) return [[variable, value.join("\n")] as const];
    return typeof value === "string" ? [[variable, value] as const] : [];
  });
  return { ...Object.fromEntries(given), ...(values["hostPods"] === false ? { INTERLAY_HOST_PODS: "false" } : {}) };
}
