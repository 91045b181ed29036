import assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import { renderResolvConf } from "./resolv-conf.ts";

describe("a pod's resolv.conf in the lab", () => {
  const pod = (spec: Partial<V1Pod["spec"]>): V1Pod => ({
    metadata: { name: "x", namespace: "demo" },
    spec: { containers: [], ...spec },
  });
  const cluster =
    "search demo.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.233.0.10\noptions ndots:5\n";
  const cases: readonly (readonly [string, Partial<V1Pod["spec"]>, string | undefined])[] = [
    ["names the cluster's DNS server and its search list by default", {}, cluster],
    ["is the node's file with dnsPolicy Default", { dnsPolicy: "Default" }, undefined],
    ["is the node's file with hostNetwork", { hostNetwork: true, dnsPolicy: "ClusterFirst" }, undefined],
    [
      "names the cluster's DNS server with hostNetwork and ClusterFirstWithHostNet",
      { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
      cluster,
    ],
    [
      "has the servers and searches of dnsConfig with dnsPolicy None",
      { dnsPolicy: "None", dnsConfig: { nameservers: ["169.254.25.10"], searches: ["a.example"] } },
      "search a.example\nnameserver 169.254.25.10\noptions ndots:5\n",
    ],
  ];
  for (const [title, spec, expected] of cases)
    it(title, () => {
      assert.equal(renderResolvConf(pod(spec), "10.233.0.10"), expected);
    });
});
