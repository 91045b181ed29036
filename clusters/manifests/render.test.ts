import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { fillIn, renderManifest } from "./render.ts";

describe("manifests", () => {
  it("want a value for every placeholder", () => {
    assert.equal(fillIn("image: __IMAGE__", { IMAGE: "a:1" }), "image: a:1");
    assert.throws(() => fillIn("image: __IMAGE__", {}), /__IMAGE__/);
  });

  it("leave Calico's own placeholders to Calico", () => {
    assert.equal(fillIn('"mtu": __CNI_MTU__', {}), '"mtu": __CNI_MTU__');
  });

  it("are YAML", async () => {
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
    });
    const multus = await renderManifest("multus", { MULTUS_IMAGE: "multus:1" });
    for (const document of [...parseAllDocuments(calico), ...parseAllDocuments(multus)]) {
      assert.deepEqual(document.errors, []);
      assert.ok(document.get("kind"));
    }
  });
});
