import type { AttachmentRecord } from "../mutants/mutant.ts";
import { readRecords } from "../mutants/mutant-records.ts";
import { runOnNode } from "../support/agent-process.ts";
import type { ChaosContext } from "./chaos-context.ts";
import { NODE_STATE_DIRECTORY } from "../support/installed-paths.ts";

/** rtm_protocol of Interlay's routes on nodes. */
const OURS = "105";
/** The executable as a runtime calls it, without arguments; the agent has an argument. */
export const PLUGIN = "^/opt/cni/bin/interlay(-ipam)?$";

/** Returns the state on workers that belongs to no existing pod: links, routes, rules, files, network namespaces, processes. */
export async function findLeaks(context: ChaosContext): Promise<readonly string[]> {
  const { items } = await context.api.core.listPodForAllNamespaces();
  const lists = await Promise.all(
    context.workers.map(async (node) => {
      const pods = items.filter(({ spec }) => spec?.nodeName === node && spec.hostNetwork !== true).length;
      return (await findNodeLeaks(context, node, pods)).map((leak) => `${node}: ${leak}`);
    }),
  );
  return lists.flat();
}

async function findNodeLeaks({ cluster }: ChaosContext, node: string, pods: number): Promise<readonly string[]> {
  const listLines = async (...argv: readonly string[]) =>
    (await runOnNode(cluster, node, argv)).split("\n").filter((line) => line.trim() !== "");
  const records = await readRecords(cluster, node);
  const recorded = listRecordedObjects(records);
  const [links, routes, rules, namespaces, temporaryFiles, pluginProcesses] = await Promise.all([
    listLines("ip", "-o", "link"),
    listLines("ip", "route", "show", "table", "all", "proto", OURS),
    listLines("ip", "rule"),
    listLines("ip", "netns", "list"),
    listLines("find", NODE_STATE_DIRECTORY, "-name", "*.new"),
    cluster.exec(node, ["pgrep", "-f", PLUGIN]),
  ]);
  const linkNames = links.map((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? "").filter((name) => /^vethil/.test(name));
  const tableRules = rules.filter((line) => / lookup 500\b/.test(line));
  return [
    ...linkNames.filter((name) => !recorded.links.has(name)).map((name) => `link ${name} of no pod`),
    ...routes
      .filter((line) => !recorded.routes.has(line.split(" ")[0] ?? ""))
      .map((line) => `route of no pod: ${line.trim()}`),
    ...(tableRules.length > 1 ? [`${tableRules.length} rules for table 500`] : []),
    ...(tableRules.length === 1 && !recorded.rule ? ["a rule for table 500 that no pod needs"] : []),
    ...(namespaces.length > pods ? [`${namespaces.length} network namespaces for ${pods} pods`] : []),
    ...temporaryFiles.map((file) => `half a file: ${file}`),
    ...(pluginProcesses.exitCode === 0
      ? [`plugins that do not end: ${pluginProcesses.stdout.trim().replaceAll("\n", ", ")}`]
      : []),
  ];
}

function listRecordedObjects(records: readonly AttachmentRecord[]) {
  const items = records.flatMap(({ plan }) => plan.items);
  return {
    links: new Set(items.flatMap((item) => (item.kind === "veth" ? [item.node.name] : []))),
    routes: new Set(
      items.flatMap((item) =>
        item.kind === "route" && item.where === "node" ? [item.destination.replace(/\/(32|128)$/, "")] : [],
      ),
    ),
    rule: items.some((item) => item.kind === "rule" && item.where === "node"),
  };
}
