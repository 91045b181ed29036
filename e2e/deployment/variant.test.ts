import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import { readAllFilters } from "./variant.ts";

const RULE = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP";
const SAVED = `*filter\n:KUBE-FORWARD - [0:0]\n[12:720] ${RULE}\nCOMMIT\n`;
const EMPTY = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n";

/** Reads the filter of a node on which commands print what `print` returns. */
async function readFilter(print: (command: string) => string, mode: "iptables" | "nftables" = "iptables") {
  const cluster: Pick<Cluster, "nodes" | "spec" | "exec"> = {
    spec: { ...DEFAULT_SPEC, probe: "/probe" },
    nodes: [{ name: "worker", role: "worker", address: "10.7.168.71" }],
    exec: (_, argv) => Promise.resolve({ exitCode: 0, stdout: print(argv.join(" ")), stderr: "" }),
  };
  return (await readAllFilters(cluster, mode))[0];
}

describe("kube-proxy's INVALID rule of a node", () => {
  it("is found in the tables of iptables-nft", async () => {
    const filter = await readFilter((command) => (command.startsWith("iptables-save") ? SAVED : ""));
    assert.deepEqual(filter?.invalidDrop, { ipv4: { rule: RULE, packets: 12 } });
  });

  it("is found in the tables of iptables-legacy, where iptables-save prints those of iptables-nft", async () => {
    const filter = await readFilter((command) => (command.includes("iptables-legacy-save") ? SAVED : EMPTY));
    assert.deepEqual(filter?.invalidDrop, { ipv4: { rule: RULE, packets: 12 } });
  });

  it("is absent where neither backend has it", async () => {
    assert.deepEqual((await readFilter(() => EMPTY))?.invalidDrop, { ipv4: undefined });
  });

  it("is found in kube-proxy's nft table, without a counter", async () => {
    const filter = await readFilter(
      (command) => (command.startsWith("nft") ? "ct state invalid drop" : ""),
      "nftables",
    );
    assert.deepEqual(filter?.invalidDrop, { ipv4: { rule: "ct state invalid drop", packets: undefined } });
  });
});
