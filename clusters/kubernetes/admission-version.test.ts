import assert from "node:assert/strict";
import { findAdmissionVersion } from "./admission-version.ts";

/** An API server that serves these versions of the group with the policies. */
const createReader = (served: Readonly<Record<string, boolean>>) => (path: string) => {
  const hasPolicies = served[path.slice(path.lastIndexOf("/") + 1)];
  return hasPolicies === undefined
    ? Promise.reject(new Error("not found"))
    : Promise.resolve({ resources: [{ name: hasPolicies ? "validatingadmissionpolicies" : "other" }] });
};

describe("the version of ValidatingAdmissionPolicy", () => {
  it("is v1 from Kubernetes v1.30, v1beta1 where it was enabled before, and none elsewhere", async () => {
    assert.equal(await findAdmissionVersion(createReader({ v1: true, v1beta1: true })), "v1");
    assert.equal(await findAdmissionVersion(createReader({ v1: false, v1beta1: true })), "v1beta1");
    assert.equal(await findAdmissionVersion(createReader({ v1: false })), undefined);
    assert.equal(await findAdmissionVersion(createReader({})), undefined);
  });
});
