import assert from "node:assert/strict";
import fc from "fast-check";
import { decideReclaim, type ReclaimDelays, type AddressHolder, type ReclaimState } from "./decide-reclaim.ts";

const NOW = 10_000_000;
const DELAYS: ReclaimDelays = { afterPod: 5000, withoutNode: 600_000, young: 60_000 };
const HOLDER: AddressHolder = { podUid: "u1", podName: "web-1", containerId: "c1", created: 0 };
const GONE: ReclaimState = {
  now: NOW,
  pod: "gone",
  node: "present",
  sandbox: "gone",
  statefulSet: "gone",
  replaced: false,
  goneSince: NOW - 5000,
};
const set = { kind: "StatefulSet", name: "web", uid: "s1" };
const wants = (replicas: number, first = 0, uid = "s1") => ({ statefulSet: { uid, first, replicas } });

describe("decideReclaim", () => {
  const cases: readonly (readonly [
    string,
    Partial<AddressHolder>,
    Partial<ReclaimState>,
    "keep" | "wait" | "release",
  ])[] = [
    ["when its pod and its container are gone for the delay", {}, {}, "release"],
    ["not before the delay", {}, { goneSince: NOW - 4999 }, "wait"],
    ["not when it is seen gone for the first time", {}, { goneSince: undefined }, "wait"],
    ["not while its pod is there", {}, { pod: { uid: "u1" } }, "keep"],
    ["when a pod of the same name is another one", {}, { pod: { uid: "u2" } }, "release"],
    ["not while the API server does not say", {}, { pod: "unknown" }, "keep"],
    ["not while its container is there, though the pod's object is gone", {}, { sandbox: "present" }, "keep"],
    ["not in the middle of its ADD", { created: NOW - 59_999 }, {}, "keep"],
    ["not soon, where its node cannot be asked", {}, { sandbox: "unknown" }, "wait"],
    ["late, where its node cannot be asked", {}, { sandbox: "unknown", goneSince: NOW - 600_000 }, "release"],
    ["when its node is gone", {}, { sandbox: "unknown", node: "gone" }, "release"],
    ["never by nothing known", {}, { sandbox: "unknown", node: "unknown", goneSince: 0 }, "wait"],
    ["not while its StatefulSet wants the pod", { owner: set }, wants(2), "keep"],
    ["when its StatefulSet has been scaled below it", { owner: set }, wants(1), "release"],
    ["by ordinals that do not start at 0", { owner: set }, wants(1, 1), "keep"],
    ["when its StatefulSet is another one of that name", { owner: set }, wants(5, 0, "s2"), "release"],
    ["not while nobody says what its StatefulSet wants", { owner: set }, { statefulSet: "unknown" }, "keep"],
    ["when its StatefulSet's pod has another one now", { owner: set }, { ...wants(2), replaced: true }, "release"],
    ["when its pod has another one now: an answer was lost", {}, { pod: { uid: "u1" }, replaced: true }, "release"],
    ["never, as a node's reserve, while the node is there", { reserve: true }, { goneSince: 0 }, "keep"],
    ["not soon, as the reserve of a node that is gone", { reserve: true }, { node: "gone" }, "wait"],
    ["late, as the reserve of a node that is gone", { reserve: true }, { node: "gone", goneSince: 0 }, "release"],
    ["never by itself after a conflict on the wire", { conflict: "02:00:00:00:00:01" }, {}, "keep"],
  ];
  for (const [what, holder, world, expected] of cases)
    it(what, () => {
      assert.equal(decideReclaim({ ...HOLDER, ...holder }, { ...GONE, ...world }, DELAYS).action, expected);
    });

  it("should keep an address while its pod exists or its state is unknown", () => {
    fc.assert(
      fc.property(
        fc.record({
          now: fc.nat(),
          pod: fc.constantFrom<ReclaimState["pod"]>({ uid: "u1" }, "unknown"),
          node: fc.constantFrom<ReclaimState["node"]>("present", "gone", "unknown"),
          sandbox: fc.constantFrom<ReclaimState["sandbox"]>("present", "gone", "unknown"),
          statefulSet: fc.constantFrom<ReclaimState["statefulSet"]>("gone", "unknown", {
            uid: "s1",
            first: 0,
            replicas: 1,
          }),
          replaced: fc.constant(false),
          goneSince: fc.option(fc.nat(), { nil: undefined }),
        }),
        fc.option(fc.constant(set), { nil: undefined }),
        (world, owner) => decideReclaim({ ...HOLDER, owner }, world, DELAYS).action !== "release",
      ),
    );
  });
});
