import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { execInNetns } from "../../testing/exec.ts";
import type { CallArguments, TestPod } from "../../testing/invocation.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const daemonSet = z.object({
  kind: z.literal("DaemonSet"),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
            securityContext: z.object({
              capabilities: z.object({ drop: z.tuple([z.literal("ALL")]), add: z.array(z.string()) }),
            }),
          }),
        ]),
      }),
    }),
  }),
});

/** As a container runtime starts the agent's container: /proc/sys is read-only, /proc/sys/net of the node is at another path. */
const AS_CONTAINER = `
mount --make-rprivate / && mount --bind /proc/sys/net "$SYSCTLS" && mount --bind /proc/sys /proc/sys &&
mount -o remount,bind,ro /proc/sys && exec setpriv --bounding-set "$CAPABILITIES" --inh-caps=-all "$@"`;

describe("the agent's container", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  net.useNode("n2", "10.7.168.72");
  const container = parseAllDocuments(
    readFileSync(join(import.meta.dirname, "..", "..", "deploy", "manifests", "interlay.yaml"), "utf8"),
  )
    .map((document) => daemonSet.safeParse(document.toJS()).data?.spec.template.spec.containers[0])
    .find((found) => found !== undefined);
  const granted = container?.securityContext.capabilities.add ?? [];
  const processes: ChildProcess[] = [];
  let sysctls: string;

  before(() => {
    sysctls = join(node.runDirectory, "sysctls");
    mkdirSync(sysctls);
  });
  net.useCleanup(() => {
    for (const child of processes) child.kill("SIGKILL");
  });

  /** Runs a program on the node with these capabilities only. */
  function runConfined(
    capabilities: readonly string[],
    argv: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly sysctlDirectory?: string } = {},
  ): { readonly status: number | null; readonly output: string } {
    const { status, stdout, stderr } = spawnSync(
      "ip",
      ["netns", "exec", node.name, "sh", "-c", AS_CONTAINER, "container", ...argv],
      {
        env: {
          ...(options.env ?? { PATH: process.env["PATH"] }),
          SYSCTLS: sysctls,
          INTERLAY_SYSCTL_DIRECTORY: options.sysctlDirectory ?? sysctls,
          CAPABILITIES: ["-all", ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(","),
        },
        input: options.input ?? "",
        encoding: "utf8",
      },
    );
    return { status, output: `${stdout}${stderr}` };
  }

  /** Attaches a new underlay pod, with the capabilities. The reference plugin, which is not the agent's, has them all. */
  function attachPod(
    capabilities: readonly string[],
    options: Readonly<Record<string, unknown>> = {},
    findNetns: (pod: TestPod) => string = ({ netns }) => netns,
    sysctlDirectory?: string,
  ): { readonly status: number | null; readonly output: string } {
    const pod = net.pod(`p${++pods}`);
    const address = `10.7.201.${pods}/16`;
    const prevResult = net.macvlan(node, pod, "eth0", [{ address, gateway: "10.7.168.72" }]);
    const call: CallArguments = ["interlay", "ADD", node, pod, "eth0", { prevResult, ...options }];
    const { executable, env, input } = net.invocation(...call);
    const result = runConfined(capabilities, [executable], {
      env: { ...env, CNI_NETNS: findNetns(pod) },
      input,
      ...(sysctlDirectory === undefined ? {} : { sysctlDirectory }),
    });
    net.tryCall("interlay", "DEL", node, pod, "eth0", {});
    return result;
  }
  let pods = 0;

  /** Starts a process of another user in the pod's network namespace, as a runtime names it that has no files for namespaces. */
  function startForeignProcess({ namespace }: TestPod): string {
    const child = spawn("ip", [
      "netns",
      "exec",
      namespace,
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "sleep",
      "600",
    ]);
    processes.push(child);
    const path = `/proc/${child.pid ?? 0}`;
    const deadline = Date.now() + 5000;
    while (readFileSync(`${path}/comm`, "utf8").trim() !== "sleep") assert.ok(Date.now() < deadline, "no process");
    return `${path}/ns/net`;
  }

  /** Removes the plugins from a directory that belongs to another user, as kubespray creates it. */
  function uninstallFromForeignDirectory(capabilities: readonly string[]): ReturnType<typeof runConfined> {
    const bin = join(node.runDirectory, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "interlay"), "");
    chownSync(bin, 1001, 1001);
    chmodSync(bin, 0o755);
    const flags = ["bin", "state", "run", "log"].flatMap((name) => [
      `--${name}-directory`,
      name === "bin" ? bin : join(node.runDirectory, `none-${name}`),
    ]);
    const result = runConfined(capabilities, [net.plugins.interlay, "uninstall", ...flags]);
    rmSync(bin, { recursive: true });
    return result;
  }

  /** Listens for changes in all namespaces for a second: `timeout` then ends it with 124. */
  const watchChanges = (capabilities: readonly string[]): ReturnType<typeof runConfined> =>
    runConfined(capabilities, ["sh", "-c", "timeout 1 ip -o monitor all-nsid route; test $? -eq 124"]);

  /** Uses of each capability. */
  const uses: Readonly<Record<string, (capabilities: readonly string[]) => ReturnType<typeof runConfined>>> = {
    DAC_OVERRIDE: uninstallFromForeignDirectory,
    NET_ADMIN: (capabilities) => attachPod(capabilities),
    NET_BROADCAST: watchChanges,
    NET_RAW: (capabilities) => attachPod(capabilities, { conflictDetection: true }),
    SYS_ADMIN: (capabilities) => attachPod(capabilities),
    SYS_PTRACE: (capabilities) => attachPod(capabilities, {}, startForeignProcess),
  };

  it("has a capability for each listed use, and a use for each capability", () => {
    assert.deepEqual([...granted].sort(), Object.keys(uses).sort());
  });

  for (const [capability, use] of Object.entries(uses)) {
    it(`can do with its capabilities what needs ${capability}`, () => {
      const { status, output } = use(granted);
      assert.equal(status, 0, output);
    });

    it(`cannot do it without ${capability}`, () => {
      const { status, output } = use(granted.filter((name) => name !== capability));
      assert.notEqual(status, 0, `${capability} is not needed: ${output}`);
      assert.match(output, /EPERM|EACCES|not permitted|permission denied/i);
    });
  }

  it("writes sysctls by the path that its environment names, because /proc/sys is read-only", () => {
    const found = container?.env.find(({ name }) => name === "INTERLAY_SYSCTL_DIRECTORY")?.value;
    assert.equal(found, "/host/proc/sys/net");
    const { status, output } = attachPod(granted, {}, undefined, "/proc/sys/net");
    assert.notEqual(status, 0);
    assert.match(output, /EROFS|read-only/i);
  });

  it("writes the sysctls of the pod's namespace, not those of the node's", () => {
    const read = () => splitLines(execInNetns(node.name, "sysctl", "-a", "-r", String.raw`^net\.`));
    const before = read();
    const pod = net.pod("kept");
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "10.7.202.1/16", gateway: "10.7.168.72" }]);
    const { executable, env, input } = net.invocation("interlay", "ADD", node, pod, "eth0", { prevResult });
    const { status, output } = runConfined(granted, [executable], { env, input });
    assert.equal(status, 0, output);
    const changed = read().filter((line) => !before.includes(line) && !/vethil|conntrack_count|\.neigh\./.test(line));
    assert.deepEqual(changed, []);
    net.call("interlay", "CHECK", node, pod, "eth0", { prevResult });
  });
});
