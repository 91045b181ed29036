import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Compiles the fuzz target of the launcher with clang and runs it: `npx tsx plugin/launcher/fuzz.ts [SECONDS]`. Needs Debian's
 * packages clang and libclang-rt-dev. CLANG names another compiler. The corpus stays in plugin/dist/fuzz, as do inputs that fail.
 */
const directory = join(import.meta.dirname, "..", "dist", "fuzz");
const corpus = join(directory, "corpus");
const target = join(directory, "launcher-fuzz");
const SECONDS = 600;
const FLAGS = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-fsanitize=fuzzer,address,undefined"];

const VARIABLES = [
  "CNI_COMMAND=ADD",
  "CNI_CONTAINERID=c1",
  "CNI_NETNS=/proc/self/ns/net",
  "CNI_IFNAME=eth0",
  "PATH=/bin",
  "INTERLAY_CNI_SOCKET=/run/interlay/cni.sock",
];
/** Responses of the agent with the flags of fuzz.c. */
const SEEDS: readonly (readonly [flags: number, response: readonly number[]])[] = [
  [1, [0, 2, 0, 0, 0, 0x7b, 0x7d]],
  [3, [1, 1, 0, 0, 0, 0x7b]],
  [13, [0, 2, 0, 0, 0, 0x7b, 0x7d]],
  [1, [255, 0, 0, 0, 0]],
  [129, [0, 255, 255, 255, 255, 0]],
  ...[0, 1, 16, 33, 65].map((flags) => [flags, []] as const),
];

/** Encodes an input of the fuzz target. */
function encodeSeed(flags: number, response: readonly number[]): Buffer {
  const sized = (text: string): Buffer =>
    Buffer.concat([Buffer.of(text.length & 255, text.length >> 8), Buffer.from(text)]);
  return Buffer.concat([
    Buffer.of(flags, 0),
    sized(VARIABLES.join("\0")),
    sized('{"cniVersion":"1.0.0"}'),
    Buffer.from(response),
  ]);
}

function runProgram(file: string, argv: readonly string[]): void {
  const { status, error } = spawnSync(file, argv, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${file} failed: ${error?.message ?? `exit ${String(status)}`}`);
}

mkdirSync(corpus, { recursive: true });
for (const [index, [flags, response]] of SEEDS.entries())
  writeFileSync(join(corpus, `seed-${index}`), encodeSeed(flags, response));
const source = join(import.meta.dirname, "fuzz.c");
runProgram(process.env["CLANG"] ?? "clang", [...FLAGS, "-fno-sanitize-recover=all", source, "-o", target]);
const seconds = Number(process.argv[2] ?? SECONDS);
runProgram(target, [
  `-max_total_time=${seconds}`,
  "-max_len=60000",
  "-print_final_stats=1",
  `-artifact_prefix=${directory}/`,
  corpus,
]);
