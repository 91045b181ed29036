import assert from "node:assert/strict";
import { podObject, serviceObject } from "../../kubernetes/objects.ts";
import { findServiceAddresses, hasExternalAddress } from "./service-addresses.ts";

const service = (spec: object, ingress: readonly object[] = [], labels: Readonly<Record<string, string>> = {}) =>
  serviceObject.parse({
    metadata: { namespace: "a", name: "b", labels },
    spec,
    status: { loadBalancer: { ingress } },
  });
const pod = (changes: object = {}, namespace = "a") =>
  podObject.parse({
    metadata: { namespace, name: "p", labels: { app: "x", tier: "y" }, ...changes },
    spec: {},
    status: { phase: "Running" },
  });
const LOCAL = { externalTrafficPolicy: "Local", selector: { app: "x" } };
const VIP = [{ ip: "10.7.250.1" }];

describe("external addresses of Services", () => {
  it("should be the external IPs and load balancer addresses, each once", () => {
    const found = findServiceAddresses(
      [service({ externalIPs: ["10.7.250.2", "fd07::250"] }, VIP), service({ externalIPs: ["10.7.250.1"] })],
      [],
    );
    assert.deepEqual(
      found.map(({ address }) => address),
      ["10.7.250.1", "10.7.250.2", "fd07::250"],
    );
    assert.equal(
      found[0]?.reason,
      "load balancer address of Service a/b: kube-proxy translates it on the pod's own node",
    );
  });

  it("should be empty for a Service without external address or with only a host name", () => {
    for (const one of [service({ clusterIPs: ["10.233.0.9"] }), service({}, [{ hostname: "lb.example" }])])
      assert.equal(hasExternalAddress(one), false);
  });

  it("should not contain addresses that kube-proxy does not handle", () => {
    for (const one of [
      service({}, [{ ip: "10.7.250.1", ipMode: "Proxy" }]),
      service({}, VIP, { "service.kubernetes.io/service-proxy-name": "other" }),
    ])
      assert.deepEqual(findServiceAddresses([one], []), []);
  });

  it("should contain addresses with policy Local only if the node has an endpoint", () => {
    const addresses = (pods: Parameters<typeof findServiceAddresses>[1], spec: object = LOCAL) =>
      findServiceAddresses([service(spec, VIP)], pods).length;
    assert.equal(addresses([pod()]), 1);
    assert.equal(addresses([]), 0);
    assert.equal(addresses([pod({}, "other")]), 0);
    assert.equal(addresses([pod({ labels: { app: "z" } })]), 0);
    assert.equal(addresses([pod({ deletionTimestamp: "2026-01-01T00:00:00Z" })]), 0);
    assert.equal(addresses([pod()], { externalTrafficPolicy: "Local" }), 0);
  });
});
