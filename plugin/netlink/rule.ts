import { AF, type AddressFamily, toAddressFamily, encodeIp, decodeIp, type Prefix } from "./ip.ts";
import {
  type Attribute,
  decodeAttributes,
  encodeAttributes,
  readTerminatedText,
  encodeText,
  encodeU32,
  encodeU8,
} from "./message.ts";

/** Policy rules: RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE. linux/fib_rules.h; ip-rule(8). */
export const RTM_RULE = { new: 32, del: 33, get: 34 } as const;

const FR_ACT_TO_TBL = 1;
const FRA = { dst: 1, src: 2, iifname: 3, priority: 6, fwmark: 10, table: 15, fwmask: 16, protocol: 21 } as const;

export interface Rule {
  readonly family: AddressFamily;
  readonly priority: number;
  readonly table: number;
  readonly from?: Prefix | undefined;
  readonly to?: Prefix | undefined;
  readonly iif?: string | undefined;
  readonly fwmark?: { readonly mark: number; readonly mask: number } | undefined;
  /** Who made it, as with routes. */
  readonly protocol?: number | undefined;
}

/** Encodes the body of RTM_NEWRULE and RTM_DELRULE. */
export function encodeRule(rule: Rule): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[rule.family], 0);
  head.writeUInt8(rule.to?.length ?? 0, 1);
  head.writeUInt8(rule.from?.length ?? 0, 2);
  head.writeUInt8(rule.table < 256 ? rule.table : 0, 4);
  head.writeUInt8(FR_ACT_TO_TBL, 7);
  const attributes: Attribute[] = [
    { type: FRA.table, value: encodeU32(rule.table) },
    { type: FRA.priority, value: encodeU32(rule.priority) },
  ];
  if (rule.to) attributes.push({ type: FRA.dst, value: encodeIp(rule.to.address) });
  if (rule.from) attributes.push({ type: FRA.src, value: encodeIp(rule.from.address) });
  if (rule.iif !== undefined) attributes.push({ type: FRA.iifname, value: encodeText(rule.iif) });
  if (rule.fwmark)
    attributes.push(
      { type: FRA.fwmark, value: encodeU32(rule.fwmark.mark) },
      { type: FRA.fwmask, value: encodeU32(rule.fwmark.mask) },
    );
  if (rule.protocol !== undefined) attributes.push({ type: FRA.protocol, value: encodeU8(rule.protocol) });
  return Buffer.concat([head, encodeAttributes(attributes)]);
}

/** Encodes a request for the policy rules of a family. */
export function encodeRuleDump(family: AddressFamily): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(AF[family], 0);
  return head;
}

/** Decodes a rule; returns undefined for families that are not IP. */
export function decodeRule(payload: Buffer): Rule | undefined {
  const family = toAddressFamily(payload.readUInt8(0));
  if (!family) return undefined;
  const attributes = decodeAttributes(payload.subarray(12));
  const decodePrefix = (type: number, length: number): Prefix | undefined => {
    const bytes = attributes.get(type);
    return bytes && { address: decodeIp(bytes), length };
  };
  const mark = attributes.get(FRA.fwmark)?.readUInt32LE();
  const iif = attributes.get(FRA.iifname);
  return {
    family,
    priority: attributes.get(FRA.priority)?.readUInt32LE() ?? 0,
    table: attributes.get(FRA.table)?.readUInt32LE() ?? payload.readUInt8(4),
    from: decodePrefix(FRA.src, payload.readUInt8(2)),
    to: decodePrefix(FRA.dst, payload.readUInt8(1)),
    iif: iif && readTerminatedText(iif),
    fwmark: mark === undefined ? undefined : { mark, mask: attributes.get(FRA.fwmask)?.readUInt32LE() ?? 0xffffffff },
    protocol: attributes.get(FRA.protocol)?.readUInt8(),
  };
}
