import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { fillTemplate, renderManifest } from "./render-manifest.ts";

describe("manifests", () => {
  it("need a value for every placeholder", () => {
    assert.equal(fillTemplate("image: __IMAGE__", { IMAGE: "a:1" }), "image: a:1");
    assert.throws(() => fillTemplate("image: __IMAGE__", {}), /__IMAGE__/);
  });

  it("manifests keep Calico's placeholders", () => {
    assert.equal(fillTemplate('"mtu": __CNI_MTU__', {}), '"mtu": __CNI_MTU__');
  });

  it("manifests are valid YAML", async () => {
    const calico = await renderManifest("calico", {
      NODE_IMAGE: "node:1",
      CNI_IMAGE: "cni:1",
      KUBE_CONTROLLERS_IMAGE: "controllers:1",
      IPV4: "true",
      IPV4_AUTODETECTION: "autodetect",
      ROUTER_ID: "",
      OVERLAY_CIDR_IPV4: "10.233.64.0/18",
      MTU: "1450",
      IPV6: "false",
      IPV6_AUTODETECTION: "none",
      OVERLAY_CIDR_IPV6: "",
      DELEGATES: "/etc/cni/multus/net.d",
    });
    const others = await Promise.all([
      renderManifest("coredns", { DNS_ADDRESS: "10.233.0.10", IMAGE: "coredns:1" }),
      renderManifest("flannel", { OVERLAY_CIDR: "10.233.64.0/18", BACKEND: "vxlan", IMAGE: "flannel:1" }),
      renderManifest("multus", { MULTUS_IMAGE: "multus:1", READINESS_FILE: "/etc/cni/net.d/calico-kubeconfig" }),
      renderManifest("multus-thick", { MULTUS_IMAGE: "multus:1" }),
      renderManifest("node-local-dns", { ADDRESS: "169.254.25.10", DNS_ADDRESS: "10.233.0.10", IMAGE: "cache:1" }),
    ]);
    for (const document of [calico, ...others].flatMap((text) => parseAllDocuments(text))) {
      assert.deepEqual(document.errors, []);
      assert.ok(document.get("kind"));
    }
  });
});
