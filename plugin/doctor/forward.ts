import { NODE_LINK_PREFIX } from "../datapath/names.ts";

/** Does FORWARD drop what comes from our links? By `iptables-save -t filter` of both backends, one after the other. Pure. */
export function forwardDrops(saved: string): boolean {
  return saved.split("*filter").some((table) => {
    if (!/^:FORWARD DROP/m.test(table)) return false;
    const accepts = new RegExp(
      `^(?:\\[\\d+:\\d+\\] )?-A FORWARD (?:-i ${NODE_LINK_PREFIX}\\+ )?(?:-m comment --comment \\S+ )?-j ACCEPT`,
      "m",
    );
    return !accepts.test(table);
  });
}
