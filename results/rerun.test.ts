import assert from "node:assert/strict";
import { $ } from "zx";
import { createCell, createReport } from "./report-fixtures.ts";
import { formatRerunCommand, formatRerunFlags, type RerunSource, type RerunVariant } from "./rerun.ts";

const variant: RerunVariant = {
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  returnPath: "notrack",
  cells: [createCell()],
};
const lab: RerunSource = { provider: "lab", versions: { kubernetes: "v1.34.1" } };
const ipv6 = { ...createCell({ family: "ipv6" }), id: `${createCell().id}/ipv6` };

describe("the command that runs a cell again", () => {
  const table: readonly (readonly [string, RerunSource, Partial<RerunVariant>, string])[] = [
    [
      "a lab, with the control plane's version",
      lab,
      {},
      "--provider lab --kubernetes v1.34.1 --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "kind, which is the default",
      { provider: "kind", versions: {} },
      {},
      "--kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "kube-proxy's mode",
      lab,
      { kubeProxy: { version: "v1.34.1", mode: "nftables" } },
      "--provider lab --kubernetes v1.34.1 --kube-proxy v1.34.1/nftables --return-path notrack",
    ],
    [
      "an environment",
      lab,
      { environment: "flannel" },
      "--provider lab --kubernetes v1.34.1 --environment flannel --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "the number of workers of the run",
      lab,
      { cells: [createCell(), createCell({ id: "matrix/overlay-7-a/underlay-8-b/other-node/tcp" })] },
      "--provider lab --kubernetes v1.34.1 --nodes 8 --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "both families",
      lab,
      { cells: [createCell(), ipv6] },
      "--provider lab --kubernetes v1.34.1 --family dual --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "IPv6 alone",
      lab,
      { cells: [createCell({ family: "ipv6" })] },
      "--provider lab --kubernetes v1.34.1 --family ipv6 --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "an existing cluster without its kube-proxy version",
      { provider: "existing", datapath: "interlay", versions: { kubernetes: "v1.34.1" } },
      {},
      '--provider existing --kubeconfig "$KUBECONFIG" --yes',
    ],
    [
      "another solution in an existing cluster",
      { provider: "existing", datapath: "none", versions: {} },
      { returnPath: "liberal" },
      '--provider existing --kubeconfig "$KUBECONFIG" --yes --datapath none --return-path liberal',
    ],
  ];
  const recorded: readonly (readonly [string, RerunSource, Partial<RerunVariant>, string])[] = [
    [
      "name and number of nodes of the run, whatever cells were selected",
      { ...lab, options: ["--name", "mine", "--nodes", "1"] },
      {},
      "--provider lab --kubernetes v1.34.1 --name mine --nodes 1 --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "the families that an environment has by default",
      { ...lab, options: [] },
      { environment: "racks", cells: [createCell(), ipv6] },
      "--provider lab --kubernetes v1.34.1 --family dual --environment racks --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "the families of the run once",
      { ...lab, options: ["--family", "dual"] },
      { cells: [createCell(), ipv6] },
      "--provider lab --kubernetes v1.34.1 --family dual --kube-proxy v1.29.15 --return-path notrack",
    ],
    [
      "every option of an existing cluster, quoted for a shell",
      { provider: "existing", versions: {}, options: ["--node-selector", "pool in (a)", "--pod-annotation", "a=it's"] },
      {},
      `--provider existing --kubeconfig "$KUBECONFIG" --yes --node-selector 'pool in (a)' --pod-annotation 'a=it'\\''s'`,
    ],
  ];
  for (const [title, source, change, expected] of [...table, ...recorded])
    it(`names ${title}`, () => {
      assert.equal(formatRerunFlags(source, { ...variant, ...change }), expected);
    });

  it("selects only that cell when a shell runs it", async () => {
    const ids = ["a.b/c/tcp", "a.b/c/tcp/ipv6", "aXb/c/tcp", "node-port/e/f:g@node-1/tcp", "x/a(b)+*/udp"];
    for (const id of ids) {
      const command = formatRerunCommand(formatRerunFlags(lab, variant), id);
      const words = (await $`sh -c ${command.replace("npm run e2e --", "printf '%s\\n'")}`).stdout.trim().split("\n");
      const pattern = new RegExp(words.at(-1) ?? "");
      assert.deepEqual(
        ids.filter((one) => pattern.test(one)),
        [id],
      );
    }
  });

  it("contains the versions of a report", () => {
    const [first] = createReport([createCell({ ok: false })]).variants;
    assert.ok(first);
    assert.match(
      formatRerunFlags(createReport([]), first),
      /^--kubernetes v1\.29\.15 --kube-proxy v1\.28\.15 --return-path liberal$/,
    );
  });
});
