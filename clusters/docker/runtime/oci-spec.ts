/**
 * Removes capabilities, negative OOM scores and limits from a container's specification if this machine cannot set them. Sandboxed
 * machines lack CAP_SYS_RESOURCE in their bounding set: runc then rejects every `--privileged` container ("unable to apply caps"),
 * every negative OOM score and every raised limit.
 */

/** Capabilities of linux/capability.h in the order of their bits. */
const CAPABILITIES =
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
    .split(" ")
    .map((name) => `CAP_${name}`);

/** Returns the capabilities that are missing in the bounding set of `/proc/self/status`. */
export function findMissingCapabilities(procStatus: string): ReadonlySet<string> {
  const hex = /^CapBnd:\s*([0-9a-f]+)$/m.exec(procStatus)?.[1];
  if (hex === undefined) return new Set();
  const bounding = BigInt(`0x${hex}`);
  return new Set(CAPABILITIES.filter((_, bit) => (bounding & (1n << BigInt(bit))) === 0n));
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Restricts a process of the OCI runtime specification: `process` of config.json, or the file of `runc exec --process`.
 * @param missing capabilities that this machine lacks
 */
export function restrictProcess(process: Json, missing: ReadonlySet<string>): Json {
  const restricted = { ...process };
  delete restricted["rlimits"];
  const capabilities = isObject(restricted["capabilities"])
    ? Object.fromEntries(
        Object.entries(restricted["capabilities"]).map(([set, names]) => [
          set,
          Array.isArray(names) ? names.filter((name) => typeof name !== "string" || !missing.has(name)) : names,
        ]),
      )
    : undefined;
  const score = restricted["oomScoreAdj"];
  return {
    ...restricted,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(typeof score === "number" && score < 0 ? { oomScoreAdj: 0 } : {}),
  };
}

/** Restricts the process of a config.json. */
export function restrictConfig(config: Json, missing: ReadonlySet<string>): Json {
  return isObject(config["process"]) ? { ...config, process: restrictProcess(config["process"], missing) } : config;
}

/** A file with a specification. `config`: the config.json of a bundle; `process`: only its field `process`. */
interface SpecificationFile {
  readonly file: string;
  readonly kind: "config" | "process";
}

/** Returns the specifications that runc's arguments name: `--bundle DIR` (create, run) or `--process FILE` (exec). */
export function listSpecificationFiles(argv: readonly string[]): readonly SpecificationFile[] {
  const findValue = (...names: readonly string[]): string | undefined => {
    for (const [index, argument] of argv.entries()) {
      if (names.includes(argument)) return argv[index + 1];
      const name = names.find((candidate) => candidate.startsWith("--") && argument.startsWith(`${candidate}=`));
      if (name !== undefined) return argument.slice(name.length + 1);
    }
    return undefined;
  };
  const bundle = findValue("--bundle", "-b");
  const process = findValue("--process", "-p");
  return [
    ...(bundle === undefined ? [] : [{ file: `${bundle}/config.json`, kind: "config" as const }]),
    ...(process === undefined ? [] : [{ file: process, kind: "process" as const }]),
  ];
}
