import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { applyFault, generateFault } from "../../testing/invalid-values.ts";
import { OverlayRoot } from "../../testing/overlay-root.ts";
import { TestAgent } from "../../testing/test-agent.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** Calls that the agent executes; a nightly or manual run sets more. */
const RUNS = Number(process.env["INTERLAY_FUZZ_FILES"] ?? 300);
/** Longest time of a call in milliseconds, on a busy machine. */
const CALL_MS = 120_000;
/** A call without an agent starts a large executable, so that it takes ten times as long. */
const STANDALONE_SHARE = 0.1;
/** Milliseconds after which the sample of a test run ends; a run with a number of its own is not limited. */
const LIMIT_MS = process.env["INTERLAY_FUZZ_FILES"] === undefined ? 60_000 : undefined;

const PATHS = [
  ...["cniVersion", "name", "type", "logFile", "stateDirectory", "dataDir", "kubeconfig", "confDir", "runDirectory"],
  ...["args", "args.cni", "runtimeConfig", "runtimeConfig.mac", "capabilities", "ipam", "ipam.type", "ipam.dataDir"],
  ...["prevResult", "prevResult.interfaces.0.name", "prevResult.interfaces.0.sandbox", "prevResult.ips.0.address"],
  ...["prevResult.dns", "hijackCIDRs", "hijackCIDRs.0", "podDefaultRouteNic", "macPrefix", "dryRun"],
  ...["cni.dev/valid-attachments", "cni.dev/valid-attachments.0.containerID", "cni.dev/attachments"],
];
const VARIABLES = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"];
const COMMANDS = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];

/** Values that name files. */
const names = fc.oneof(
  fc.constantFrom(
    ...["/etc/planted", "/planted", "../planted", "../../../../../../etc/planted", "/etc/passwd", "/root/planted/x"],
    ...["/proc/self/root/etc/planted", "/proc/self/cwd/planted", "/dev/shm/../../etc/planted", "a/../../../planted"],
    ...["planted\n* * * * * root true", "x /etc/planted x", "..", "/", "~/planted", "%2fetc%2fplanted", "planted\0/x"],
  ),
  fc.string({ maxLength: 30 }).map((text) => `../${text}`),
  fc.string({ maxLength: 30 }).map((text) => `/etc/${text}`),
);
const values = fc.oneof(
  { weight: 3, arbitrary: names },
  { weight: 1, arbitrary: names.map((name) => [name]) },
  { weight: 1, arbitrary: names.map((name) => ({ path: name, file: name })) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

describe("CNI configurations", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  const pod = net.usePod("f");
  let config: unknown;
  let root: OverlayRoot;
  let agent: TestAgent;

  before(async () => {
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "10.7.200.1/16", gateway: "10.7.168.72" }]);
    config = JSON.parse(net.invocation("interlay", "ADD", node, pod, "eth0", { prevResult }).input);
    // Interlay's directories of this node, and the namespaces.
    root = await OverlayRoot.create(["/run/netns", dirname(node.stateDirectory)]);
  });
  beforeEach(() => {
    agent = new TestAgent(node);
  });
  afterEach(() => agent.kill());
  net.useCleanup(() => {
    root.close();
  });

  const callPlugin = (plugin: "interlay" | "launcher", command: string, env: NodeJS.ProcessEnv, input: string) => {
    const { env: valid } = net.invocation(plugin, "ADD", node, pod, "eth0", {});
    const [file = "", ...argv] = root.buildCommand(["ip", "netns", "exec", node.name, net.plugins[plugin]]);
    return spawnSync(file, argv, {
      env: { ...valid, CNI_COMMAND: command, ...env },
      input,
      encoding: "utf8",
      timeout: CALL_MS,
    });
  };

  const callWithFaults = (plugin: "interlay" | "launcher", numRuns: number): void => {
    const valid = callPlugin(plugin, "ADD", {}, JSON.stringify(config));
    assert.equal(valid.status, 0, valid.stdout);
    const documents = fc.array(generateFault(PATHS, values), { minLength: 0, maxLength: 3 });
    const variables = fc.option(
      fc.tuple(
        fc.constantFrom(...VARIABLES),
        names.map((text) => text.replaceAll("\0", "")),
      ),
      { nil: undefined, freq: 2 },
    );
    let calls = 0;
    fc.assert(
      fc.property(fc.constantFrom(...COMMANDS), documents, variables, (command, faults, variable) => {
        calls += 1;
        const env = variable === undefined ? {} : { [variable[0]]: variable[1] };
        const { status } = callPlugin(plugin, command, env, JSON.stringify(faults.reduce(applyFault, config)));
        assert.ok(status === 0 || status === 1, `ended with ${String(status)}`);
        assert.deepEqual(root.listChanges(), []);
      }),
      {
        numRuns,
        ...(LIMIT_MS === undefined ? {} : { interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: false }),
      },
    );
    process.stdout.write(`      · ${calls} calls\n`);
  };
  const countAgentCalls = (): number =>
    readFileSync(join(node.stateDirectory, "cni.log"), "utf8").split(`"mode":"agent"`).length - 1;

  it("change no file outside Interlay's directories in a call that an agent executes", async function () {
    this.timeout(0);
    await agent.start(net.plugins.interlay, undefined, {}, (command) => root.buildCommand(command));
    assert.deepEqual(root.listChanges(), []);
    callWithFaults("launcher", RUNS);
    const executed = countAgentCalls();
    process.stdout.write(`      · ${executed} in the log of the agent\n`);
    assert.ok(executed > 0);
  });

  it("change no file outside Interlay's directories in a call without an agent", function () {
    this.timeout(0);
    callWithFaults("interlay", STANDALONE_SHARE * RUNS);
  });

  it("would show a file that a program writes", () => {
    const [file = "", ...argv] = root.buildCommand(["sh", "-c", ": >/etc/planted"]);
    assert.equal(spawnSync(file, argv).status, 0);
    assert.deepEqual(root.listChanges(), ["/etc", "/etc/planted"]);
  });
});
