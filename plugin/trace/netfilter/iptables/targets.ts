import type { Packet } from "../../packet.ts";
import { exemptFromConntrack, setConnmark, setMark, setTtl, setZone } from "../model/packet-change.ts";
import { hasConntrackEntry } from "../model/conntrack-entry.ts";
import { CONTINUE, CONTINUE_ALWAYS, type Result, type RuleStatement } from "../model/ruleset.ts";
import { formatExtension, formatOption, parseMaskedValue } from "./match-compiler.ts";
import { NAT_TARGETS } from "./nat-targets.ts";
import type { RuleExtension } from "./rule-arguments.ts";

/** Targets that do not affect a packet's path. */
const WITHOUT_EFFECT = new Set([
  "AUDIT",
  "CHECKSUM",
  "CLASSIFY",
  "CONNSECMARK",
  "DSCP",
  "ECN",
  "IDLETIMER",
  "LED",
  "LOG",
  "NFLOG",
  "RATEEST",
  "SECMARK",
  "SET",
  "TCPMSS",
  "TCPOPTSTRIP",
  "TEE",
  "TOS",
  "TRACE",
  "ULOG",
]);

type TargetCompiler = (target: RuleExtension) => RuleStatement;

function createConstant(result: Result): TargetCompiler {
  return () => () => result;
}

function findOptionValue({ options }: RuleExtension, name: string): string | undefined {
  return options.find((option) => option.name === name)?.values[0];
}

/** `--set-xmark VALUE/MASK`: clears the bits of the mask and toggles those of the value. */
function compileMark(target: RuleExtension): RuleStatement {
  const [option] = target.options;
  const { value, mask } = parseMaskedValue(option?.values[0]);
  switch (option?.name) {
    case "--set-xmark":
      return (packet) => setMark(packet, (packet.mark & ~mask) ^ value);
    case "--set-mark":
      return (packet) => setMark(packet, (packet.mark & ~(mask | value)) | value);
    case "--or-mark":
      return (packet) => setMark(packet, packet.mark | value);
    case "--and-mark":
      return (packet) => setMark(packet, packet.mark & value);
    case "--xor-mark":
      return (packet) => setMark(packet, packet.mark ^ value);
    default:
      throw new Error(formatExtension(target));
  }
}

function compileConnmark(target: RuleExtension): RuleStatement {
  const [option] = target.options;
  const mask = findOptionValue(target, "--mask") ?? "0xffffffff";
  const nfmask = parseMaskedValue(findOptionValue(target, "--nfmask") ?? mask).value;
  const ctmask = parseMaskedValue(findOptionValue(target, "--ctmask") ?? mask).value;
  switch (option?.name) {
    case "--set-xmark":
    case "--set-mark": {
      const { value, mask: bits } = parseMaskedValue(option.values[0]);
      const cleared = option.name === "--set-mark" ? bits | value : bits;
      return (packet) => setConnmark(packet, (packet.connmark & ~cleared) ^ value);
    }
    case "--save-mark":
      return (packet) => setConnmark(packet, (packet.connmark & ~ctmask) ^ (packet.mark & nfmask));
    case "--restore-mark":
      return (packet) =>
        hasConntrackEntry(packet) ? setMark(packet, (packet.mark & ~nfmask) ^ (packet.connmark & ctmask)) : CONTINUE;
    default:
      throw new Error(formatExtension(target));
  }
}

/** Options of CT that choose helpers, timeouts and events. */
const CT_WITHOUT_EFFECT = ["--helper", "--timeout", "--ctevents", "--expevents"];

function compileConntrackTarget(target: RuleExtension): RuleStatement {
  const relevant = target.options.filter(({ name }) => !CT_WITHOUT_EFFECT.includes(name));
  const [option] = relevant;
  if (option === undefined) return CONTINUE_ALWAYS;
  if (relevant.length === 1 && option.name === "--notrack") return exemptFromConntrack;
  const zone = Number(option.values[0]);
  if (relevant.length === 1 && option.name === "--zone" && !Number.isNaN(zone))
    return (packet) => setZone(packet, zone);
  throw new Error(`CT ${relevant.map(formatOption).join(" ")}`);
}

function compileTtl(prefix: "ttl" | "hl"): TargetCompiler {
  return (target) => {
    const [option] = target.options;
    const number = Number(option?.values[0]);
    const changes: Record<string, (packet: Packet) => number> = {
      [`--${prefix}-set`]: () => number,
      [`--${prefix}-dec`]: ({ ttl }) => ttl - number,
      [`--${prefix}-inc`]: ({ ttl }) => ttl + number,
    };
    const change = changes[option?.name ?? ""];
    if (change === undefined || Number.isNaN(number)) throw new Error(formatExtension(target));
    return (packet) => setTtl(packet, change(packet));
  };
}

const TARGETS: Readonly<Record<string, TargetCompiler>> = {
  ACCEPT: createConstant({ kind: "accept" }),
  DROP: createConstant({ kind: "drop" }),
  RETURN: createConstant({ kind: "return" }),
  REJECT: (target) => {
    const rejectWith = findOptionValue(target, "--reject-with") ?? "icmp-port-unreachable";
    return () => ({ kind: "reject", rejectWith });
  },
  MARK: compileMark,
  CONNMARK: compileConnmark,
  CT: compileConntrackTarget,
  NOTRACK: () => exemptFromConntrack,
  TTL: compileTtl("ttl"),
  HL: compileTtl("hl"),
  ...NAT_TARGETS,
};

/**
 * Compiles a target that is not a chain.
 *
 * @throws an error whose message is the target, if it is unsupported
 */
export function compileTarget(target: RuleExtension): RuleStatement {
  if (WITHOUT_EFFECT.has(target.name)) return CONTINUE_ALWAYS;
  const compile = TARGETS[target.name];
  if (compile === undefined) throw new Error(formatExtension(target));
  return compile(target);
}
