import assert from "node:assert/strict";
import { listRerunOptions } from "./rerun-options.ts";

describe("listRerunOptions", () => {
  it("leaves out what is the default", () => {
    const defaults = { INTERLAY_CLUSTER: "interlay", INTERLAY_NODES: "2", INTERLAY_FAMILY: "ipv4" };
    for (const provider of ["kind", "lab", "existing"] as const) {
      assert.deepEqual(listRerunOptions(defaults, provider), []);
      assert.deepEqual(listRerunOptions({}, provider), []);
    }
  });

  it("repeats name, number of nodes and families of a cluster that the suite created", () => {
    const from = { INTERLAY_CLUSTER: "mine", INTERLAY_NODES: "1", INTERLAY_FAMILY: "dual", INTERLAY_NAMESPACE: "x" };
    assert.deepEqual(listRerunOptions(from, "lab"), ["--name", "mine", "--nodes", "1", "--family", "dual"]);
  });

  it("repeats IPv4 in an environment, whose own default may be another family", () => {
    const from = { INTERLAY_ENVIRONMENT: "nftables", INTERLAY_FAMILY: "ipv4" };
    assert.deepEqual(listRerunOptions(from, "lab"), ["--family", "ipv4"]);
  });

  it("repeats every option of an existing cluster but the kubeconfig", () => {
    const from = {
      INTERLAY_KUBECONFIG: "/home/me/config",
      INTERLAY_CONTEXT: "prod",
      INTERLAY_NODES: "3",
      INTERLAY_CLUSTER: "unused",
      INTERLAY_NODE_SELECTOR: "pool in (a, b)",
      INTERLAY_EXTERNAL: "https://example.com/",
      INTERLAY_TOLERATIONS: "a=b:NoExecute\nc",
      INTERLAY_HOST_PODS: "false",
      INTERLAY_KUBE_PROXY: "v1.31.4/ipvs",
      INTERLAY_KUBE_PROXY_NAMED: "v1.31.4/ipvs",
    };
    assert.deepEqual(listRerunOptions(from, "existing"), [
      ...["--nodes", "3", "--context", "prod", "--external", "https://example.com/"],
      ...["--node-selector", "pool in (a, b)", "--toleration", "a=b:NoExecute", "--toleration", "c"],
      ...["--no-host-pods", "--kube-proxy", "v1.31.4/ipvs"],
    ]);
  });
});
