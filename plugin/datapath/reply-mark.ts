import type { ReplyMarkItem } from "./plan.ts";

/** Our table in the pod's namespace. */
export const POD_NFT_TABLE = "inet interlay";

/**
 * What comes in is marked as well, for the source check (src_valid_mark). One transaction that replaces the table. The mark lives in conntrack, so that every reply of the connection has it;
 * only replies are marked, for what the pod itself begins has its own routes.
 */
export function replyMarkRules({ device, mark }: ReplyMarkItem): string {
  const hex = `0x${mark.toString(16)}`;
  return `table ${POD_NFT_TABLE}
delete table ${POD_NFT_TABLE}
table ${POD_NFT_TABLE} {
  chain incoming {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${device}" meta mark set meta mark or ${hex}
    iifname "${device}" ct state new ct mark set ct mark or ${hex}
  }
  chain replies {
    type route hook output priority mangle; policy accept;
    ct direction reply ct mark and ${hex} == ${hex} meta mark set meta mark or ${hex}
  }
}
`;
}
