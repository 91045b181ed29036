import type { AllocatorOptions } from "../../ipam/allocator/allocator.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { writeLog } from "./agent-log.ts";

/** Reports conflicts and losses of addresses as Events of the pod and in the log. */
export function createAddressListener(events: EventRecorder): Pick<AllocatorOptions, "onConflict" | "onLost"> {
  return {
    onConflict: ({ address, mac, pod }) => {
      const otherHost = mac === "" ? "another host" : `another host (${mac})`;
      writeLog("warn", "an address is in use on the wire", { address, mac, pod });
      void events.warn(
        pod,
        "AddressConflict",
        `${address} is in use on the wire by ${otherHost}: it is marked, no pod gets it, and this pod gets another address. When that host is gone: interlay ipam release ${address}`,
      );
    },
    onLost: ({ address, pod }) => {
      writeLog("error", "an address of a running pod has been given to another", { address, pod });
      void events.warn(
        pod,
        "AddressLost",
        `the UnderlayAddress of ${address} was deleted under this pod, and another pod has the address by now: delete this pod`,
      );
    },
  };
}
