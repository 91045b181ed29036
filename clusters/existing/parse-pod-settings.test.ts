import assert from "node:assert/strict";
import { toContainerFields, toPodSpecFields } from "../spec/pod-settings.ts";
import { parsePodSettings, parseToleration } from "./parse-pod-settings.ts";

const NONE = { annotations: undefined, tolerations: undefined, resources: undefined };

describe("the settings of the suite's pods", () => {
  const tolerations = [
    ["dedicated=net:NoSchedule", { key: "dedicated", operator: "Equal", value: "net", effect: "NoSchedule" }],
    ["dedicated=net", { key: "dedicated", operator: "Equal", value: "net" }],
    ["example.com/gpu:NoExecute", { key: "example.com/gpu", operator: "Exists", effect: "NoExecute" }],
    ["dedicated", { key: "dedicated", operator: "Exists" }],
  ] as const;
  for (const [text, expected] of tolerations)
    it(`the settings of the suite's pods have the toleration ${text}`, () => {
      assert.deepEqual(parseToleration(text), expected);
    });

  for (const text of ["dedicated=net:Never", "=net:NoSchedule", ""])
    it(`reject the toleration "${text}"`, () => {
      assert.throws(() => parseToleration(text), /invalid --toleration/);
    });

  it("the settings of the suite's pods have annotations whose values contain commas and equal signs", () => {
    const { annotations } = parsePodSettings({ ...NONE, annotations: 'a.io/b={"x":1,"y":"z=1"}\nc=\n' });
    assert.deepEqual(annotations, { "a.io/b": '{"x":1,"y":"z=1"}', c: "" });
    assert.throws(() => parsePodSettings({ ...NONE, annotations: "alone" }), /invalid --pod-annotation "alone"/);
  });

  it("the settings of the suite's pods have equal requests and limits", () => {
    const settings = parsePodSettings({ ...NONE, resources: "cpu=100m, memory=64Mi" });
    const amounts = { cpu: "100m", memory: "64Mi" };
    assert.deepEqual(toContainerFields(settings), { resources: { requests: amounts, limits: amounts } });
    assert.deepEqual(toContainerFields({}), {});
  });

  it("tolerate every taint unless tolerations are named", () => {
    assert.deepEqual(toPodSpecFields({}), { tolerations: [{ operator: "Exists" }] });
    assert.deepEqual(toPodSpecFields(parsePodSettings({ ...NONE, tolerations: "a:NoExecute" })).tolerations, [
      { key: "a", operator: "Exists", effect: "NoExecute" },
    ]);
  });

  it("the settings of the suite's pods name the pull secrets", () => {
    const secret = { name: "login", type: "kubernetes.io/dockerconfigjson", data: {} };
    assert.deepEqual(toPodSpecFields({ pullSecrets: [secret] }).imagePullSecrets, [{ name: "login" }]);
  });
});
