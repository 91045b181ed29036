import { parseCidr, parseInterfaceAddress, parseIp } from "../datapath/address.ts";
import { announceAddresses } from "../datapath/apply/announce.ts";
import { ApplyError, applyPlan } from "../datapath/apply/apply-plan.ts";
import { findSharedItems, readAttachment, removeAttachment, writeAttachment } from "../state/attachment.ts";
import { removeStaleState } from "../datapath/apply/stale-state.ts";
import { removePendingTeardown, readPendingTeardown } from "../state/pending-teardown.ts";
import { type Facts, addHijackCidrs } from "../datapath/facts.ts";
import { type NetworkNamespace, withNamespaces } from "../datapath/kernel.ts";
import { describeItem, type Plan } from "../datapath/plan-item.ts";
import { withFreePodLock, withPodLock } from "../datapath/pod-lock.ts";
import { removeAdvertisedState } from "../datapath/apply/router-advertisements.ts";
import { undoPlan } from "../datapath/apply/undo.ts";
import { type NicSurvey, buildPlan } from "../datapath/plan/build-plan.ts";
import { type NicRequest, surveyNic, UnsupportedPodError } from "../datapath/plan/survey-nic.ts";
import type { CniCall } from "./cni-call.ts";
import { writeConflictRecord } from "../state/conflict-records.ts";
import { AddressConflictError, CniError, CODE } from "./error.ts";
import { loadFacts } from "./load-facts.ts";
import { getRoutingIds, type NetworkOptions, parseOptions } from "./network-options.ts";
import type { Paths } from "./plugin-paths.ts";
import { probeAddresses } from "./address-probes.ts";
import { waitForDad } from "./wait-for-dad.ts";
import { readPodOptions } from "../state/pod-options.ts";
import type { CniResult, NetworkConfig, Request } from "./request.ts";
import { getErrorMessage } from "../errors/error-message.ts";
import type { NicAddress, NicRoute } from "../datapath/plan/secondary-attachment.ts";

/** Executes ADD (CNI spec 1.1.0, section 2): attaches the NIC of the previous plugin's result and adds Interlay's pair to that result. */
export function cmdAdd({ request, paths, mode, markStep, defer, notices, beforeStep }: CniCall): CniResult {
  const { config, containerId, ifname, netns, pod } = request;
  const previous = requirePrevResult(config);
  const options = parseOptions(config);
  if (options.mode === "disabled") return previous;
  const wiring = readInputs(request, previous, options, paths);
  notices.push(...(wiring.facts.notices ?? []));
  const wire = (node: NetworkNamespace, podNamespace: NetworkNamespace): CniResult => {
    /** Removes the items of an earlier ADD of the same container that the new plan does not have. */
    const removeObsolete = (earlierPlan: Plan, plan: Plan): void => {
      const desired = new Set(plan.items.map(describeItem));
      const obsolete = earlierPlan.items.filter((item) => !desired.has(describeItem(item)));
      if (obsolete.length === 0) return;
      undoPlan({ items: obsolete }, node, netns, findSharedItems(containerId, ifname, paths.attachments));
      node.forgetLinks();
      podNamespace.forgetLinks();
    };
    const existingRecord = readAttachment(containerId, ifname, paths.attachments);
    try {
      const survey = surveyNic(wiring.nic, node, podNamespace);
      const plan = planSurvey(wiring.facts, survey);
      markStep("plan");
      if (options.dryRun) return addToResult(previous, plan, netns);
      if (plan.items.length > 0) {
        probeAddresses(wiring.nic, options, podNamespace, pod, mode);
        waitForDad(wiring.nic, podNamespace, pod, mode);
      }
      markStep("wire");
      // The record is written before any change, so that DEL and GC find the state of a killed ADD.
      const { name: network } = config;
      const record = { containerId, ifname, network, netns, pod, plan, survey, hijackCidrs: options.hijackCIDRs };
      writeAttachment(record, paths.attachments);
      const earlier = existingRecord ?? readPendingTeardown(containerId, ifname, paths.attachments);
      if (earlier !== undefined) removeObsolete(earlier.plan, plan);
      removeStaleState(plan, node, podNamespace);
      markStep("prepare");
      applyPlan(plan, node, podNamespace, beforeStep);
      if (plan.items.length > 0 && !options.acceptRouterAdvertisements) removeAdvertisedState(ifname, podNamespace);
      // A pending teardown of the same container: its pair belongs to this attachment now.
      removePendingTeardown(containerId, ifname, paths.attachments);
      markStep("apply");
      if (options.announce && plan.items.length > 0)
        defer(() => {
          announceQuietly(ifname, netns);
          markStep("announce");
        });
      return addToResult(previous, plan, netns);
    } catch (error) {
      if (existingRecord === undefined) removeAttachment(containerId, ifname, paths.attachments);
      if (error instanceof AddressConflictError)
        writeConflictRecord({ address: error.address, mac: error.mac, ifname, pod }, paths.state);
      throw toCniError(error, pod);
    }
  };
  const locked = mode === "agent" ? withFreePodLock : withPodLock;
  return locked(netns, () => withNamespaces(netns, wire));
}

/** Announces the pod's addresses. Ignores errors: the pod may not exist any more. */
function announceQuietly(ifname: string, netns: string): void {
  try {
    withNamespaces(netns, (_node, pod) => {
      announceAddresses(ifname, pod);
    });
  } catch {
    // the pod is attached even if the announcement failed
  }
}

/** Returns the plan that ADD would apply to this pod. Changes nothing. @throws CniError, as ADD does */
export function planRequest(request: Request, paths: Paths): Plan {
  const { config, netns, pod } = request;
  const options = parseOptions(config);
  if (options.mode === "disabled") return { items: [] };
  const { facts, nic } = readInputs(request, requirePrevResult(config), options, paths);
  try {
    return withNamespaces(netns, (node, podNamespace) => planSurvey(facts, surveyNic(nic, node, podNamespace)));
  } catch (error) {
    throw toCniError(error, pod);
  }
}

function planSurvey(facts: Facts, survey: NicSurvey | undefined): Plan {
  return survey === undefined ? { items: [] } : buildPlan(facts, survey);
}

function requirePrevResult({ prevResult }: NetworkConfig): CniResult {
  if (prevResult !== undefined) return prevResult;
  throw new CniError(
    CODE.invalidConfig,
    "the configuration of interlay has no prevResult",
    "It is a chained plugin: add it after macvlan in the conflist's plugins.",
  );
}

function readInputs(
  { containerId, ifname, pod }: Request,
  previous: CniResult,
  options: NetworkOptions,
  paths: Paths,
): { readonly facts: Facts; readonly nic: NicRequest } {
  const { mode, mtu, txQueueLen, hijackCIDRs } = options;
  const facts = loadFacts(paths.facts);
  const { defaultRouteNic: annotatedNic } = readPodOptions(containerId, ifname, paths.state);
  const defaultRouteNic = annotatedNic ?? options.podDefaultRouteNic;
  const addresses = readAddresses(previous, ifname);
  if (addresses.length === 0)
    throw new CniError(
      CODE.unsupportedPod,
      `the previous plugin gave ${ifname} of pod ${pod.namespace}/${pod.name} no address`,
    );
  const nic = {
    containerId,
    ifname,
    addresses,
    routes: readRoutes(previous),
    mode: mode === "disabled" ? ("auto" as const) : mode,
    numbers: getRoutingIds(options),
    ...(options.acceptRouterAdvertisements ? { acceptRouterAdvertisements: true as const } : {}),
    ...(options.macPrefix === undefined ? {} : { macPrefix: options.macPrefix }),
    ...(defaultRouteNic === undefined ? {} : { defaultRouteNic }),
    ...(annotatedNic === undefined ? {} : { defaultRouteNicKnown: true as const }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(txQueueLen === undefined ? {} : { txQueueLength: txQueueLen }),
  };
  return { facts: addHijackCidrs(facts, hijackCIDRs), nic };
}

function toCniError(error: unknown, pod: Request["pod"]): unknown {
  if (error instanceof UnsupportedPodError)
    return new CniError(CODE.unsupportedPod, `pod ${pod.namespace}/${pod.name}: ${error.message}`);
  if (error instanceof ApplyError)
    return new CniError(CODE.apply, `pod ${pod.namespace}/${pod.name}, ${error.message}`);
  return error;
}

/** Parses the addresses of this NIC from a result; an address without an interface index belongs to every NIC. */
export function readAddresses(result: CniResult, ifname: string): readonly NicAddress[] {
  return (result.ips ?? [])
    .filter(({ interface: index }) => index === undefined || result.interfaces?.[index]?.name === ifname)
    .map(({ address, gateway }) =>
      parseResult("ips", () => ({
        ...parseInterfaceAddress(address),
        ...(gateway === undefined ? {} : { gateway: parseIp(gateway) }),
      })),
    );
}

/** Parses the routes that the previous plugin added on its own link. @throws CniError 7 if a route is invalid */
function readRoutes(result: CniResult): readonly NicRoute[] {
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
    throw new CniError(CODE.invalidConfig, `prevResult's ${part}: ${getErrorMessage(error)}`);
  }
}

/** Appends the plan's links to the result's interfaces, so that the indices in `ips` stay valid. */
function addToResult(previous: CniResult, plan: Plan, netns: string): CniResult {
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
  const previousInterfaces = (previous.interfaces ?? []).map((networkInterface) => {
    // A main plugin's host end can have the same name; only interfaces with a sandbox are in the pod.
    const mac = (networkInterface.sandbox ?? "") === "" ? undefined : macs.get(networkInterface.name);
    return mac === undefined ? networkInterface : { ...networkInterface, mac };
  });
  return { ...previous, interfaces: [...previousInterfaces, ...pairs] };
}
