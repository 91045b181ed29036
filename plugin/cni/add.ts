import { parseCidr, parseInterfaceAddress, parseIp } from "../datapath/address.ts";
import { announce } from "../datapath/announce.ts";
import { ApplyError, applyPlan } from "../datapath/apply.ts";
import { linesOfOthers, readAttachment, removeAttachment, writeAttachment } from "../datapath/attachment.ts";
import { removeDirt } from "../datapath/dirt.ts";
import { forgetEnded, readEnded } from "../datapath/ended.ts";
import { type Facts, withHijacked } from "../datapath/facts.ts";
import { type Namespace, withNamespaces } from "../datapath/kernel.ts";
import type { ExtraAddress, NicRoute } from "../datapath/multi-nic.ts";
import { describeItem, type Plan } from "../datapath/plan.ts";
import { withFreePodLock, withPodLock } from "../datapath/pod-lock.ts";
import { removeAdvertised } from "../datapath/router-advertisements.ts";
import { undoPlan } from "../datapath/undo.ts";
import { type NicSurvey, planNic } from "../datapath/plan-nic.ts";
import { type PodNic, surveyNic, UnfitPodError } from "../datapath/survey.ts";
import type { Call } from "./call.ts";
import { writeConflictNote } from "./conflict-notes.ts";
import { AddressConflict, CniError, CODE } from "./error.ts";
import { loadFacts } from "./facts-file.ts";
import { numbersOf, type Options, parseOptions } from "./options.ts";
import type { Places } from "./places.ts";
import { checkWire } from "./safety.ts";
import { awaitSettled } from "./settle.ts";
import { readWishes } from "./wishes.ts";
import type { CniResult, NetworkConfig, Request } from "./request.ts";

/** CNI spec 1.1.0, section 2 "ADD", chained: the previous plugin's result is wired and passed on, with our pair added. */
export function add({ request, places, way, lap, later, notices, beforeStep }: Call): CniResult {
  const { config, containerId, ifname, netns, pod } = request;
  const previous = previousOf(config);
  const options = parseOptions(config);
  if (options.mode === "disabled") return previous;
  const wiring = wiringOf(request, previous, options, places);
  notices.push(...(wiring.facts.notices ?? []));
  const wire = (node: Namespace, podNamespace: Namespace): CniResult => {
    /** The same container was added before, with other addresses or options: what is no longer wanted goes. */
    const removeObsolete = (before: Plan, plan: Plan): void => {
      const wanted = new Set(plan.items.map(describeItem));
      const obsolete = before.items.filter((item) => !wanted.has(describeItem(item)));
      if (obsolete.length === 0) return;
      undoPlan({ items: obsolete }, node, netns, linesOfOthers(containerId, ifname, places.attachments));
      node.forgetLinks();
      podNamespace.forgetLinks();
    };
    const known = readAttachment(containerId, ifname, places.attachments);
    try {
      const survey = surveyNic(wiring.nic, node, podNamespace);
      const plan = planSurvey(wiring.facts, survey);
      lap("plan");
      if (options.dryRun) return withPair(previous, plan, netns);
      if (plan.items.length > 0) {
        checkWire(wiring.nic, options, podNamespace, pod, way);
        awaitSettled(wiring.nic, podNamespace, pod, way);
      }
      lap("wire");
      // First: a plugin killed from here on leaves a record by which DEL and GC find what it made.
      const { name: network } = config;
      const record = { containerId, ifname, network, netns, pod, plan, survey, hijackCidrs: options.hijackCIDRs };
      writeAttachment(record, places.attachments);
      const earlier = known ?? readEnded(containerId, ifname, places.attachments);
      if (earlier !== undefined) removeObsolete(earlier.plan, plan);
      removeDirt(plan, node, podNamespace);
      lap("prepare");
      applyPlan(plan, node, podNamespace, beforeStep);
      if (plan.items.length > 0) removeAdvertised(ifname, podNamespace);
      // An earlier life of the same name, whose pair had not gone yet: it is this one's now.
      forgetEnded(containerId, ifname, places.attachments);
      lap("apply");
      if (options.announce && plan.items.length > 0)
        later(() => {
          announceIn(ifname, netns);
          lap("announce");
        });
      return withPair(previous, plan, netns);
    } catch (error) {
      if (known === undefined) removeAttachment(containerId, ifname, places.attachments);
      if (error instanceof AddressConflict)
        writeConflictNote({ address: error.address, mac: error.mac, ifname, pod }, places.state);
      throw told(error, pod);
    }
  };
  const locked = way === "agent" ? withFreePodLock : withPodLock;
  return locked(netns, () => withNamespaces(netns, wire));
}

/** A pod that has gone meanwhile has nothing to announce. */
function announceIn(ifname: string, netns: string): void {
  try {
    withNamespaces(netns, (_node, pod) => {
      announce(ifname, pod);
    });
  } catch {
    // it is wired all the same
  }
}

/** What ADD would do to this pod, by the kernel as it is; nothing is changed. Throws CniError as ADD does. */
export function planOf(request: Request, places: Places): Plan {
  const { config, netns, pod } = request;
  const options = parseOptions(config);
  if (options.mode === "disabled") return { items: [] };
  const { facts, nic } = wiringOf(request, previousOf(config), options, places);
  try {
    return withNamespaces(netns, (node, podNamespace) => planSurvey(facts, surveyNic(nic, node, podNamespace)));
  } catch (error) {
    throw told(error, pod);
  }
}

function planSurvey(facts: Facts, survey: NicSurvey | undefined): Plan {
  return survey === undefined ? { items: [] } : planNic(facts, survey);
}

function previousOf({ prevResult }: NetworkConfig): CniResult {
  if (prevResult !== undefined) return prevResult;
  throw new CniError(
    CODE.invalidConfig,
    "interlay has no prevResult",
    "It is a chained plugin: put it behind macvlan in the conflist's plugins.",
  );
}

function wiringOf(
  { containerId, ifname, pod }: Request,
  previous: CniResult,
  options: Options,
  places: Places,
): { readonly facts: Facts; readonly nic: PodNic } {
  const { mode, mtu, txQueueLen, hijackCIDRs } = options;
  const facts = loadFacts(places.facts);
  const { defaultRouteNic: wished } = readWishes(containerId, ifname, places.state);
  const defaultRouteNic = wished ?? options.podDefaultRouteNic;
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
    routes: readRoutes(previous),
    mode: mode === "disabled" ? ("auto" as const) : mode,
    numbers: numbersOf(options),
    ...(options.macPrefix === undefined ? {} : { macPrefix: options.macPrefix }),
    ...(defaultRouteNic === undefined ? {} : { defaultRouteNic }),
    ...(wished === undefined ? {} : { defaultRouteNicKnown: true as const }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(txQueueLen === undefined ? {} : { txQueueLength: txQueueLen }),
  };
  return { facts: withHijacked(facts, hijackCIDRs), nic };
}

function told(error: unknown, pod: Request["pod"]): unknown {
  if (error instanceof UnfitPodError)
    return new CniError(CODE.unfitPod, `pod ${pod.namespace}/${pod.name}: ${error.message}`);
  if (error instanceof ApplyError)
    return new CniError(CODE.apply, `pod ${pod.namespace}/${pod.name}, ${error.message}`);
  return error;
}

/** The addresses of this NIC in a result: by the index of its interface; all of them where no index is given. */
export function addressesOf(result: CniResult, ifname: string): readonly ExtraAddress[] {
  return (result.ips ?? [])
    .filter(({ interface: index }) => index === undefined || result.interfaces?.[index]?.name === ifname)
    .map(({ address, gateway }) =>
      parseResult("ips", () => ({
        ...parseInterfaceAddress(address),
        ...(gateway === undefined ? {} : { gateway: parseIp(gateway) }),
      })),
    );
}

/** Reads the routes of a result: the previous plugin made them by its own link. Throws CniError 7. */
export function readRoutes(result: CniResult): readonly NicRoute[] {
  return (result.routes ?? []).map(({ dst, gw }) =>
    parseResult("routes", () => {
      const network = parseCidr(dst);
      const destination = network.endsWith("/0") ? ("default" as const) : network;
      return { destination, ...(gw === undefined || gw === "" ? {} : { gateway: parseIp(gw) }) };
    }),
  );
}

function parseResult<T>(part: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new CniError(
      CODE.invalidConfig,
      `prevResult's ${part}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
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
  const macs = new Map(plan.items.flatMap((item) => (item.kind === "mac" ? [[item.device, item.mac] as const] : [])));
  if (pairs.length === 0 && macs.size === 0) return previous;
  const before = (previous.interfaces ?? []).map((one) => {
    // A main plugin's host end may have the pod's link's name: only what is in a sandbox is the pod's.
    const mac = (one.sandbox ?? "") === "" ? undefined : macs.get(one.name);
    return mac === undefined ? one : { ...one, mac };
  });
  return { ...previous, interfaces: [...before, ...pairs] };
}
