import assert from "node:assert/strict";
import { listGinkgoArguments, selectTestImages, sigNetwork } from "./sig-network.ts";

const PROGRAMS = { e2eTest: "/p/e2e.test", ginkgo: "/p/ginkgo", kubectl: "/p/kubectl" };

describe("listGinkgoArguments", () => {
  const known = [
    { suite: "sig-network", podTypes: ["underlay"], spec: "should use (odd) ports", reason: "there are none" },
  ] as const;
  const argv = listGinkgoArguments(
    PROGRAMS,
    { focus: "DNS", known, processes: 4, kubeconfig: "/k", workers: 2 },
    "/work",
  );

  it("skips known specs by expressions that fit their names", () => {
    const [skip = ""] = argv.filter((argument) => argument.startsWith("--skip="));
    assert.match("[sig-network] Services should use (odd) ports", new RegExp(skip.slice("--skip=".length)));
  });

  it("gives the test program its options after the double hyphen", () => {
    const end = argv.indexOf("--");
    assert.equal(argv[end - 1], "/p/e2e.test");
    assert.ok(argv.indexOf("--focus=DNS") < end && argv.indexOf("--kubeconfig=/k") > end);
  });

  it("names the number of nodes, without which most processes skip the specs that need two", () => {
    assert.ok(argv.indexOf("--num-nodes=2") > argv.indexOf("--"));
  });
});

describe("the focus of sig-network", () => {
  it("selects conformance specs of the network alone", () => {
    const focus = new RegExp(sigNetwork.focus);
    assert.ok(focus.test("[sig-network] DNS should provide DNS for the cluster [Conformance]"));
    assert.ok(!focus.test("[sig-network] DNS should support configurable pod resolv.conf"));
    assert.ok(!focus.test("[sig-node] Pods should be updated [NodeConformance] [Conformance]"));
  });
});

describe("selectTestImages", () => {
  it("selects the images that are built here", () => {
    const listed = [
      "gcr.io/k8s-authenticated-test/agnhost:2.6",
      "registry.k8s.io/e2e-test-images/agnhost:2.47",
      "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7",
      "registry.k8s.io/e2e-test-images/glibc-dns-testing:2.1.1",
      "registry.k8s.io/e2e-test-images/nginx:1.14-4",
      "registry.k8s.io/pause:3.10.2",
      "registry.k8s.io/e2e-test-images/redis:5.0.5-3",
      "",
    ];
    assert.deepEqual(selectTestImages(listed.join("\n")), listed.slice(1, 6));
  });
});
