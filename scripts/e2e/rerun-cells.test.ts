import assert from "node:assert/strict";
import { $ } from "zx";
import { findEnvironment } from "../../clusters/environments/registry.ts";
import { parseRunOptions, type RunOptions } from "../../e2e/support/run-options.ts";
import { createCell } from "../../results/report-fixtures.ts";
import { formatRerunCommand, formatRerunFlags } from "../../results/rerun.ts";
import { createCommand } from "./e2e-command.ts";
import { readRunVariables } from "./run-variables.ts";

/** Parses arguments of `npm run e2e` as the command does. */
function parseOptions(argv: readonly string[]): RunOptions {
  const command = createCommand("e2e", "kind").action(() => undefined);
  command.parse(argv, { from: "user" });
  const { environment } = command.opts<{ environment?: string }>();
  return parseRunOptions(
    readRunVariables(command, environment === undefined ? undefined : findEnvironment(environment)),
  );
}

/** Returns the arguments of each command as a shell splits them. */
async function splitCommands(commands: readonly string[]): Promise<readonly (readonly string[])[]> {
  const prints = commands.map((command) => `${command.replace("npm run e2e --", "printf '%s\\0'")}; echo`);
  const { stdout } = await $({ env: { ...process.env, KUBECONFIG: "/some where/config" } })`sh -c ${prints.join("\n")}`;
  return stdout.split("\n").map((line) => line.split("\0").slice(0, -1));
}

const PROVIDERS = {
  kind: ["--name", "mine"],
  lab: ["--provider", "lab", "--kubernetes", "v1.34.1", "--kube-proxy", "v1.34.1/nftables,v1.33.2"],
  existing: [
    ...["--provider", "existing", "--yes", "--kubeconfig", "/some where/config"],
    ...["--context", "prod", "--network", "a/b", "--image", "registry.example/probe:1"],
    ...["--node-selector", "pool in (a, b)", "--toleration", "a=b:NoExecute", "--toleration", "c", "--no-host-pods"],
    ...[
      "--pod-annotation",
      'a.io/b={"x":"it\'s"}',
      "--external",
      "https://example.com/?a=b&c",
      "--kube-proxy",
      "v1.31.4/ipvs",
    ],
  ],
  "existing, of another solution": [
    ...["--provider", "existing", "--yes", "--kubeconfig", "/some where/config"],
    "--datapath",
    "none",
    "--return-path",
    "liberal",
  ],
} as const;
const ENVIRONMENTS = [undefined, "flannel-vxlan", "nftables", "racks"] as const;
const NODES = [1, 2, 5] as const;
const FAMILIES = [undefined, "ipv4", "ipv6", "dual"] as const;

const table = Object.entries(PROVIDERS).flatMap(([title, own]) =>
  (title.startsWith("existing") ? [undefined] : ENVIRONMENTS).flatMap((environment) =>
    NODES.flatMap((nodes) =>
      (title.startsWith("existing") ? [undefined] : FAMILIES).map((family) => ({
        title,
        own,
        environment,
        nodes,
        family,
      })),
    ),
  ),
);

describe("the command that runs a cell again, parsed as npm run e2e parses it", () => {
  for (const { title, own, environment, nodes, family } of table)
    it(`repeats the options of ${title}, environment ${environment ?? "not named"}, ${nodes} nodes, family ${family ?? "not named"}`, async () => {
      const fixedOptions = [
        ...own,
        ...(environment === undefined ? [] : ["--environment", environment]),
        ...["--nodes", String(nodes)],
        ...(family === undefined ? [] : ["--family", family]),
      ];
      const options = parseOptions(fixedOptions);
      const { provider, kubernetes, existing } = options;
      const source = {
        provider,
        versions: { kubernetes },
        options: options.rerun.slice(),
        ...(existing === undefined ? {} : { datapath: existing.datapath }),
      };
      const cell = createCell({ family: options.family === "ipv6" ? "ipv6" : "ipv4" });
      const commands = options.variants.map((variant) =>
        formatRerunCommand(formatRerunFlags(source, { ...variant, cells: [cell] }), cell.id),
      );
      const split = await splitCommands(commands);
      for (const [index, variant] of options.variants.entries()) {
        const rerun = parseOptions(split[index] ?? []);
        assert.ok(rerun.cells.test(cell.id) && rerun.keep, commands[index]);
        assert.deepEqual(select(rerun), select({ ...options, variants: [variant] }), commands[index]);
      }
    });
});

/** Returns the options that decide which cluster is created or used, and for an existing one not its kube-proxy, which is found. */
function select({ provider, kubernetes, environment, workers, name, family, variants, existing }: RunOptions) {
  const run = { provider, workers, existing };
  if (provider !== "existing") return { ...run, kubernetes, environment, name, family, variants };
  return existing?.datapath === "none"
    ? { ...run, returnPaths: new Set(variants.map(({ returnPath }) => returnPath)) }
    : run;
}
