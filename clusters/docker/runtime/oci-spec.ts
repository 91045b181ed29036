/**
 * What must be taken out of a container's specification where this machine itself may not do it. Sandboxed machines lack
 * CAP_SYS_RESOURCE in their bounding set: runc then refuses every `--privileged` container ("unable to apply caps"),
 * every negative oom score and every raised limit.
 */

/** linux/capability.h, in the order of their bits. */
const CAPABILITIES =
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
    .split(" ")
    .map((name) => `CAP_${name}`);

/** Names of the capabilities that are not in the bounding set of `/proc/self/status`. */
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

/** A process of the OCI runtime specification (config.json's `process`, or the file of `runc exec --process`). */
export function restrictProcess(process: Json, missing: ReadonlySet<string>): Json {
  const rest = { ...process };
  delete rest["rlimits"];
  const capabilities = isObject(rest["capabilities"])
    ? Object.fromEntries(
        Object.entries(rest["capabilities"]).map(([set, names]) => [
          set,
          Array.isArray(names) ? names.filter((name) => typeof name !== "string" || !missing.has(name)) : names,
        ]),
      )
    : undefined;
  const score = rest["oomScoreAdj"];
  return {
    ...rest,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(typeof score === "number" && score < 0 ? { oomScoreAdj: 0 } : {}),
  };
}

/** A whole config.json. */
export function restrictConfig(config: Json, missing: ReadonlySet<string>): Json {
  return isObject(config["process"]) ? { ...config, process: restrictProcess(config["process"], missing) } : config;
}

/** Where runc's arguments name a specification: `--bundle DIR` (create, run) or `--process FILE` (exec). */
export function listSpecificationFiles(
  argv: readonly string[],
): readonly { readonly file: string; readonly whole: boolean }[] {
  const valueOf = (...names: readonly string[]): string | undefined => {
    for (const [index, argument] of argv.entries()) {
      if (names.includes(argument)) return argv[index + 1];
      const name = names.find((n) => n.startsWith("--") && argument.startsWith(`${n}=`));
      if (name !== undefined) return argument.slice(name.length + 1);
    }
    return undefined;
  };
  const bundle = valueOf("--bundle", "-b");
  const process = valueOf("--process", "-p");
  return [
    ...(bundle === undefined ? [] : [{ file: `${bundle}/config.json`, whole: true }]),
    ...(process === undefined ? [] : [{ file: process, whole: false }]),
  ];
}
