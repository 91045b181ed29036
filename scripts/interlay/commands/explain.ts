import { CoreV1Api } from "@kubernetes/client-node";
import { Command } from "commander";
import { ignoreStatus } from "../../../clusters/kubernetes/status-code.ts";
import { execInAgent, AGENT_EXECUTABLE, listAgents } from "../../cluster/run-on-agents.ts";
import { addClusterOptions, addGlobalOptions, type ClusterFlags, loadCluster } from "../program/common-options.ts";

interface ExplainFlags extends ClusterFlags {
  readonly namespace?: string;
}

/** `interlay explain`: the reason for each link, route, rule and neighbour of a pod, from the agent on its node. */
export function createExplainCommand(): Command {
  const command = new Command("explain")
    .description("print the reason for each link, route, rule and neighbour of a pod, and whether it is in place")
    .argument("<pod>", "NAME or NAMESPACE/NAME")
    .addHelpText("after", "\nExample:\n  interlay explain default/underlay");
  return addGlobalOptions(addClusterOptions(command), ["namespace"]).action(runExplain);
}

async function runExplain(pod: string, flags: ExplainFlags): Promise<void> {
  const { namespace, name } = parsePodName(pod, flags.namespace);
  const config = await loadCluster(flags);
  const podObject = await config
    .makeApiClient(CoreV1Api)
    .readNamespacedPod({ name, namespace })
    .catch(ignoreStatus(404));
  if (podObject === undefined) throw new Error(`no pod ${namespace}/${name}: see kubectl get pods -n ${namespace}`);
  const node = podObject.spec?.nodeName;
  if (node === undefined) throw new Error(`pod ${namespace}/${name} is not scheduled on a node yet`);
  const agent = (await listAgents(config)).get(node);
  if (agent === undefined) throw new Error(`no agent of Interlay runs on node ${node}: see interlay status`);
  const argv = [AGENT_EXECUTABLE, "explain", "--pod", `${namespace}/${name}`];
  const { exitCode, stdout, stderr } = await execInAgent(config, agent, argv);
  if (exitCode !== 0) throw new Error(stderr.trim() || `interlay explain on ${node} ended with ${exitCode}`);
  process.stdout.write(stdout);
}

/** Parses `NAME` or `NAMESPACE/NAME`. @param namespace namespace of a name without one */
export function parsePodName(
  text: string,
  namespace = "default",
): { readonly namespace: string; readonly name: string } {
  const [first = "", second, ...extraParts] = text.split("/");
  if (first === "" || second === "" || extraParts.length > 0)
    throw new Error(`invalid pod "${text}": want NAME or NAMESPACE/NAME`);
  return second === undefined ? { namespace, name: first } : { namespace: first, name: second };
}
