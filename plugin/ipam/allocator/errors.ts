import { CniError, CODE } from "../../cni/error.ts";
import type { Family, Ip } from "../../datapath/address.ts";
import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { type Pool } from "../pool/select-pools.ts";
import type { AddressSpace } from "../pool/address-space.ts";
import type { IpamRequest } from "../records/ipam-request.ts";
import { toObjectName } from "../pool/object-name.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

/** Errors of address allocation, one sentence each. */

/** Upper bound of requested addresses whose holders an error looks up. */
const MAX_LISTED = 256n;

/** Returns `eth0 of pod NAMESPACE/NAME` for messages. */
export function describeNic({ pod, ifname }: IpamRequest): string {
  return `${ifname} of pod ${pod.namespace}/${pod.name}`;
}

/** Creates the error for a request that needs the API server, which does not answer. */
export function createApiServerUnreachableError(request: IpamRequest, error: unknown): CniError {
  return new CniError(
    CODE.tryAgainLater,
    `cannot request an address for ${describeNic(request)}: API server unreachable (${getErrorMessage(error)})`,
  );
}

/** Creates the error for a request before the first lists have been read. */
export function createNotSyncedError(): CniError {
  return new CniError(
    CODE.tryAgainLater,
    "the agent has not reached the API server since it started and has no record of this pod",
    "New pods wait until the API server answers.",
  );
}

/** Creates the error for a request of a pod that no longer exists. */
export function createPodDeletedError({ pod }: IpamRequest): CniError {
  return new CniError(CODE.tryAgainLater, `pod ${pod.namespace}/${pod.name} (${pod.uid}) was deleted`);
}

/** Creates the error for a pod whose requested addresses cannot be parsed. */
export function createInvalidAnnotationError({ pod }: IpamRequest, error: unknown): CniError {
  return new CniError(
    CODE.noAddress,
    `invalid annotation interlay.dev/ip of pod ${pod.namespace}/${pod.name}: ${getErrorMessage(error)}`,
  );
}

/** @param preferred pools that the pod or its namespace names */
export function createNoPoolError(request: IpamRequest, preferred: readonly string[]): CniError {
  const ofNetwork = request.pools.length > 0 ? ` within the network's list (${request.pools.join(", ")})` : "";
  return new CniError(
    CODE.noAddress,
    preferred.length > 0
      ? `none of the pools that annotation interlay.dev/pools names (${preferred.join(", ")})${ofNetwork} exists, is Ready and selects ${describeNic(request)}`
      : request.pools.length > 0
        ? `none of the pools that the network names (${request.pools.join(", ")}) exists, is Ready and selects ${describeNic(request)}`
        : `no UnderlayPool exists for ${describeNic(request)}`,
    "See `kubectl get underlaypools -o yaml`: the selectors of a pool hold also where it is named, and without a named pool only default pools are used if there are some.",
  );
}

/** Creates the error for pools without a free address of the family. */
export function createPoolExhaustedError(request: IpamRequest, pools: readonly Pool[], family: Family): CniError {
  return new CniError(
    CODE.noAddress,
    `no ${family === "ipv4" ? "IPv4" : "IPv6"} address is free for ${describeNic(request)} in ${pools.map((p) => `${p.name} (${p.spaces.free.size})`).join(", ")}`,
    "Add a range to the pool, or remove pods that hold addresses: `kubectl get underlayaddresses`.",
  );
}

/** The requested address is in use or in no pool; the error names the holder. */
export function createAddressUnavailableError(
  request: IpamRequest,
  pools: readonly Pool[],
  requested: AddressSpace,
  holderOf: (name: string) => UnderlayAddressObject | undefined,
): CniError {
  const holders = findHolders(requested, holderOf);
  const [first] = holders;
  if (first === undefined && listFirstAddresses(requested).some((ip) => pools.some(({ spaces }) => spaces.all.has(ip))))
    return new CniError(
      CODE.tryAgainLater,
      `address for ${describeNic(request)} is being allocated or released by another pod; retry`,
      "The runtime's next attempt gets it, or names the holder.",
    );
  if (first === undefined)
    return new CniError(
      CODE.noAddress,
      `none of the addresses that ${describeNic(request)} requests is in a usable pool (${pools.map((p) => p.name).join(", ")})`,
      "Add them to a pool's ranges, or change the annotation interlay.dev/ip.",
    );
  return requested.size === 1n
    ? new CniError(
        CODE.noAddress,
        `address ${first.spec.address} requested by ${describeNic(request)} is held by ${describeHolder(first)}`,
        "Delete that pod, or ask for another address.",
      )
    : new CniError(
        CODE.noAddress,
        `none of the ${requested.size} addresses that ${describeNic(request)} requests is free: ${first.spec.address} is held by ${describeHolder(first)}${holders.length > 1 ? `, and ${holders.length - 1} more are held` : ""}`,
        "Ask for as many as there are replicas and surge pods, or delete a pod that holds one.",
      );
}

function findHolders(
  requested: AddressSpace,
  holderOf: (name: string) => UnderlayAddressObject | undefined,
): readonly UnderlayAddressObject[] {
  return listFirstAddresses(requested).flatMap((ip) => holderOf(toObjectName(ip)) ?? []);
}

function listFirstAddresses(requested: AddressSpace): readonly Ip[] {
  const count = requested.size < MAX_LISTED ? requested.size : MAX_LISTED;
  return Array.from({ length: Number(count) }, (_, index) => requested.at(BigInt(index)));
}

/** Describes an address's holder for people. */
export function describeHolder({ spec }: UnderlayAddressObject): string {
  if (spec.conflict !== undefined) return `another host on the wire (${spec.conflict})`;
  if (spec.reserve) return `node ${spec.node}, as its reserve`;
  return `pod ${spec.pod.namespace}/${spec.pod.name} on node ${spec.node}`;
}
