import type { PodObject, UnderlayAddressObject, UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import type { Ip } from "../../datapath/address.ts";
import type { Pool } from "../pool/select-pools.ts";
import type { IpamResult, IpamRequest } from "./ipam-request.ts";
import type { AddressRecord } from "./address-records.ts";
import { findSet } from "../annotations/workload.ts";

/** An address of one NIC. Converts between the cluster's object, the node's record and the plugin's response. */
export interface Allocation {
  readonly object: UnderlayAddressObject;
  readonly pool: Pool;
  /** Created or taken over by this call: released if the call fails. */
  readonly fresh: boolean;
  /** Taken from the node's reserve while the API server was unreachable; written to the API server later. */
  readonly unsynced: boolean;
}

export function toAddressSpec(
  request: IpamRequest,
  pod: PodObject,
  node: string,
  ip: Ip,
  pool: string,
): UnderlayAddressSpec {
  return {
    address: ip,
    pool,
    node,
    containerId: request.containerId,
    ifname: request.ifname,
    network: request.network,
    pod: { namespace: request.pod.namespace, name: request.pod.name, uid: pod.metadata.uid },
    ...getOwner(pod),
  };
}

/** Builds the spec from a record: of an address allocated offline, or whose object was deleted while the pod runs. */
export function toAddressSpecFromRecord(
  record: AddressRecord,
  node: string,
  pod: PodObject | undefined,
): UnderlayAddressSpec {
  const { address, pool, ifname, network, released, containerId } = record;
  return {
    address,
    pool,
    node,
    ifname,
    network,
    pod: record.pod,
    containerId: released ? "" : containerId,
    ...(pod?.metadata.uid === record.pod.uid ? getOwner(pod) : {}),
  };
}

function getOwner(pod: PodObject): Pick<UnderlayAddressSpec, "owner" | "set"> {
  const controller = findControllerReference(pod);
  if (controller === undefined) return {};
  const set = findSet(pod);
  const owner = { kind: controller.kind, name: controller.name, uid: controller.uid };
  return { owner, ...(set === undefined ? {} : { set }) };
}

export function findControllerReference(pod: PodObject): PodObject["metadata"]["ownerReferences"][number] | undefined {
  return pod.metadata.ownerReferences.find((reference) => reference.controller === true);
}

export function toRecord(
  { object, pool, unsynced }: Allocation,
  request: IpamRequest,
  pod: PodObject,
  defaultRouteNic: string | undefined,
): AddressRecord {
  const { gateway, prefixLength } = pool.spaces;
  return {
    name: object.metadata.name,
    uid: object.metadata.uid,
    address: object.spec.address,
    prefixLength,
    ...(gateway === undefined ? {} : { gateway }),
    routes: [...pool.routes],
    pool: pool.name,
    containerId: request.containerId,
    ifname: request.ifname,
    network: request.network,
    netns: request.netns,
    pod: { namespace: request.pod.namespace, name: request.pod.name, uid: pod.metadata.uid },
    released: false,
    stale: unsynced,
    leaving: false,
    ...(defaultRouteNic === undefined ? {} : { defaultRouteNic }),
  };
}

export function toIpamResult(records: readonly AddressRecord[]): IpamResult {
  const nic = records.find(({ defaultRouteNic }) => defaultRouteNic !== undefined)?.defaultRouteNic;
  return {
    ips: records.map(({ address, prefixLength, gateway }) => ({
      address: `${address}/${prefixLength}`,
      ...(gateway === undefined ? {} : { gateway }),
    })),
    routes: records.flatMap(({ routes }) => routes),
    ...(nic === undefined ? {} : { defaultRouteNic: nic }),
  };
}
