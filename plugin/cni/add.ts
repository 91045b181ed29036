import { parseInterfaceAddress, parseIp } from "../datapath/address.ts";
import { ApplyError, applyPlan } from "../datapath/apply.ts";
import { readAttachment, removeAttachment, writeAttachment } from "../datapath/attachment.ts";
import { removeDirt } from "../datapath/dirt.ts";
import { type Namespace, withNamespaces } from "../datapath/kernel.ts";
import type { ExtraAddress } from "../datapath/multi-nic.ts";
import type { Plan } from "../datapath/plan.ts";
import { withPodLock } from "../datapath/pod-lock.ts";
import { planFor, UnfitPodError } from "../datapath/survey.ts";
import type { Call } from "./call.ts";
import { CniError, CODE } from "./error.ts";
import { loadFacts } from "./facts-file.ts";
import { parseOptions } from "./options.ts";
import type { CniResult } from "./request.ts";

/** CNI spec 1.1.0, section 2 "ADD", chained: the previous plugin's result is wired and passed on, with our pair added. */
export function add({ request, places, lap, beforeStep }: Call): CniResult {
  const { config, containerId, ifname, netns, pod } = request;
  const previous = config.prevResult;
  if (previous === undefined)
    throw new CniError(
      CODE.invalidConfig,
      "interlay has no prevResult",
      "It is a chained plugin: put it behind macvlan in the conflist's plugins.",
    );
  const { mode, mtu, txQueueLen } = parseOptions(config);
  if (mode === "disabled") return previous;
  const facts = loadFacts(places.facts);
  const addresses = addressesOf(previous, ifname);
  if (addresses.length === 0)
    throw new CniError(
      CODE.unfitPod,
      `the previous plugin gave ${ifname} of pod ${pod.namespace}/${pod.name} no address`,
    );
  const nic = {
    containerId,
    ifname,
    addresses,
    mode,
    ...(mtu === undefined ? {} : { mtu }),
    ...(txQueueLen === undefined ? {} : { txQueueLength: txQueueLen }),
  };
  const wire = (node: Namespace, podNamespace: Namespace): CniResult => {
    const known = readAttachment(containerId, ifname, places.attachments) !== undefined;
    try {
      const plan = planFor(facts, nic, node, podNamespace);
      lap("plan");
      // First: a plugin killed from here on leaves a record by which DEL and GC find what it made.
      writeAttachment({ containerId, ifname, netns, pod, plan }, places.attachments);
      removeDirt(plan, node, podNamespace);
      lap("prepare");
      applyPlan(plan, node, podNamespace, beforeStep);
      lap("apply");
      return withPair(previous, plan, netns);
    } catch (error) {
      if (!known) removeAttachment(containerId, ifname, places.attachments);
      if (error instanceof UnfitPodError)
        throw new CniError(CODE.unfitPod, `pod ${pod.namespace}/${pod.name}: ${error.message}`);
      if (error instanceof ApplyError)
        throw new CniError(CODE.apply, `pod ${pod.namespace}/${pod.name}, ${error.message}`);
      throw error;
    }
  };
  return withPodLock(netns, () => withNamespaces(netns, wire));
}

/** The addresses of this NIC in a result: by the index of its interface; all of them where no index is given. */
export function addressesOf(result: CniResult, ifname: string): readonly ExtraAddress[] {
  return (result.ips ?? [])
    .filter(({ interface: index }) => index === undefined || result.interfaces?.[index]?.name === ifname)
    .map(({ address, gateway }) => {
      try {
        return { ...parseInterfaceAddress(address), ...(gateway === undefined ? {} : { gateway: parseIp(gateway) }) };
      } catch (error) {
        throw new CniError(
          CODE.invalidConfig,
          `prevResult's ips: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
}

/** Ours are appended: indices in `ips` keep their meaning. */
function withPair(previous: CniResult, plan: Plan, netns: string): CniResult {
  const pairs = plan.items.flatMap((item) =>
    item.kind === "veth"
      ? [
          { name: item.node.name, mac: item.node.mac },
          { name: item.pod.name, mac: item.pod.mac, sandbox: netns },
        ]
      : [],
  );
  return pairs.length === 0 ? previous : { ...previous, interfaces: [...(previous.interfaces ?? []), ...pairs] };
}
