import assert from "node:assert/strict";
import { completeOptions } from "./install-options.ts";

const FLAGS = { pullSecret: [], range: [], network: "underlay" };
const NEW = { image: undefined, hasConfig: false, cniBinDirectory: "/opt/cni/bin" };
const INSTALLED = { image: "old:1", hasConfig: true, cniBinDirectory: "/opt/cni/bin" };

describe("the options of install", () => {
  it("need an image for a new installation", () => {
    assert.throws(() => completeOptions(FLAGS, NEW), /no image: .*--image/);
    assert.equal(completeOptions({ ...FLAGS, image: "new:2" }, NEW).returnPath, "auto");
  });

  it("the options of install keep the image and the settings of an installation", () => {
    const { image, returnPath } = completeOptions(FLAGS, INSTALLED);
    assert.equal(image, "old:1");
    assert.equal(returnPath, undefined);
    assert.equal(completeOptions({ ...FLAGS, returnPath: "snat" }, INSTALLED).returnPath, "snat");
  });

  it("prefer the plugin directory of the user to the detected one", () => {
    assert.equal(completeOptions({ ...FLAGS, cniBinDir: "/x" }, INSTALLED).cniBinDirectory, "/x");
  });

  it("describe a pool by subnet and ranges", () => {
    const { underlay } = completeOptions(
      { ...FLAGS, subnet: "10.7.0.0/16", range: ["10.7.200.0/24"], gateway: "10.7.0.1" },
      INSTALLED,
    );
    assert.deepEqual(underlay, {
      name: "underlay",
      subnet: "10.7.0.0/16",
      ranges: ["10.7.200.0/24"],
      gateway: "10.7.0.1",
    });
  });

  it("the options of install are refused for a pool without a range or a subnet", () => {
    assert.throws(() => completeOptions({ ...FLAGS, subnet: "10.7.0.0/16" }, INSTALLED), /both --subnet/);
    assert.throws(() => completeOptions({ ...FLAGS, range: ["10.7.1.0/24"] }, INSTALLED), /both --subnet/);
    assert.throws(() => completeOptions({ ...FLAGS, gateway: "10.7.0.1" }, INSTALLED), /add --subnet/);
  });
});
