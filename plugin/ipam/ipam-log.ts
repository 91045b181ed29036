import type { ExecMode } from "../cni/cni-call.ts";
import { logCall } from "../cni/call-log.ts";
import type { Request } from "../cni/request.ts";

/** Name under which a container runtime calls the IPAM plugin. */
export const IPAM_PLUGIN = "interlay-ipam";

/**
 * Appends a call of the IPAM plugin to the log of CNI calls.
 *
 * @param addresses what a successful ADD has allocated
 */
export function logIpamCall(
  command: string | undefined,
  mode: ExecMode,
  request: Request | undefined,
  milliseconds: number,
  failure: unknown,
  file: string,
  addresses: readonly string[] = [],
): void {
  logCall(
    {
      plugin: IPAM_PLUGIN,
      command,
      mode,
      containerId: request?.containerId,
      ifname: request?.ifname,
      pod: request?.pod,
      ...(addresses.length === 0 ? {} : { addresses }),
      milliseconds: Math.round(milliseconds * 10) / 10,
      ...(failure === undefined ? {} : { error: failure instanceof Error ? failure.message : JSON.stringify(failure) }),
    },
    file,
  );
}
