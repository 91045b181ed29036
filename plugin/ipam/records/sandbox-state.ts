import { existsSync } from "node:fs";
import { listAttachments } from "../../state/attachment.ts";
import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import type { Records } from "./address-records.ts";

/** One NIC of one container. */
export interface ContainerNic {
  readonly containerId: string;
  readonly ifname: string;
}

/**
 * Reports whether an address of this node is still on a link of an existing network namespace. Records may name a newer sandbox than
 * the object. Of a container that another IPAM plugin served, and whose object `interlay migrate` created, only the attachment is
 * known: without one, the state is unknown.
 *
 * @param attachments directory of the node's attachments
 */
export function findSandboxState(
  records: Pick<Records, "listRecords" | "find">,
  { metadata: { name }, spec: { containerId, ifname, network } }: UnderlayAddressObject,
  attachments?: string,
): "present" | "gone" | "unknown" {
  const belongsToNic = (container: ContainerNic): boolean =>
    container.containerId === containerId && container.ifname === ifname;
  const paths = [
    ...records.listRecords().filter((record) => record.name === name || belongsToNic(record)),
    ...(containerId === "" ? [] : listAttachments(attachments).filter(belongsToNic)),
  ].map(({ netns }) => netns);
  if (paths.some((path) => path !== "" && existsSync(path))) return "present";
  return network === "" && paths.length === 0 ? "unknown" : "gone";
}
