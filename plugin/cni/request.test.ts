import assert from "node:assert/strict";
import fc from "fast-check";
import { parseFacts } from "../datapath/facts.ts";
import { makeFacts } from "../testing/make-facts.ts";
import { readAddresses } from "./add.ts";
import { CniError, CODE, renderError } from "./error.ts";
import { parseOptions } from "./network-options.ts";
import { COMMANDS, parseRequest, type Request } from "./request.ts";
import { answerVersion } from "./cni-version.ts";

const ADD = {
  CNI_COMMAND: "ADD",
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/var/run/netns/x",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=n;K8S_POD_NAME=p;K8S_POD_UID=u",
};
const codes: readonly number[] = Object.values(CODE);

/** Whatever `work` is given, it answers or throws what the spec has words for. */
function onlyCniErrors(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CniError, `threw ${String(error)}, which is not a CniError`);
    assert.ok(codes.includes(error.code), `${error.code} is not documented`);
    const result: unknown = JSON.parse(renderError(error, "1.1.0"));
    assert.deepEqual(Object.keys(result as object).slice(0, 3), ["cniVersion", "code", "msg"]);
  }
}

/** JSON that looks like a configuration more often than by chance. */
const config = fc.record(
  {
    cniVersion: fc.oneof(fc.constantFrom("0.3.1", "1.0.0", "1.1.0"), fc.jsonValue()),
    name: fc.jsonValue(),
    mode: fc.oneof(fc.constantFrom("auto", "underlay", "disabled"), fc.jsonValue()),
    mtu: fc.oneof(fc.integer(), fc.jsonValue()),
    hijackCIDRs: fc.oneof(fc.array(fc.oneof(fc.constantFrom("10.0.0.0/8", "fd00::/64"), fc.string())), fc.jsonValue()),
    stateDirectory: fc.jsonValue(),
    logFile: fc.jsonValue(),
    prevResult: fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          interfaces: fc.oneof(fc.jsonValue(), fc.array(fc.record({ name: fc.string(), mtu: fc.jsonValue() }))),
          ips: fc.oneof(
            fc.jsonValue(),
            fc.array(
              fc.record(
                {
                  address: fc.oneof(
                    fc.constantFrom("10.7.200.1/16", "10.7.200.1", "fd00::1/64", "10.7.200.1/99"),
                    fc.string(),
                  ),
                  gateway: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
                  interface: fc.oneof(fc.integer(), fc.jsonValue()),
                },
                { requiredKeys: [] },
              ),
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    ),
    "cni.dev/attachments": fc.jsonValue(),
  },
  { requiredKeys: [] },
);

describe("input of a call", () => {
  it("should parse an environment or throw a CniError", () => {
    const value = fc.oneof(fc.string(), fc.constantFrom("../x", "a/b", "eth0", "", "veth0\0", "x".repeat(300)));
    const environment = fc.record(
      {
        CNI_COMMAND: fc.oneof(fc.constantFrom(...COMMANDS), fc.string()),
        CNI_CONTAINERID: value,
        CNI_NETNS: value,
        CNI_IFNAME: value,
        CNI_ARGS: fc.string(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(environment, (env) => {
        onlyCniErrors(() => {
          const { command, containerId, ifname, netns } = parseRequest({ ...ADD, ...env }, "{}");
          if (command === "GC" || command === "STATUS") return; // they are about no attachment
          // Both become parts of file names and of links' names.
          for (const name of [containerId, ifname]) assert.doesNotMatch(name, /[/\s\0]|^\.\.?$/);
          assert.ok(netns === "" || netns.startsWith("/"));
        });
      }),
    );
  });

  it("should parse a configuration with prevResult or throw a CniError", () => {
    fc.assert(
      fc.property(config, (input) => {
        onlyCniErrors(() => {
          const request: Request = parseRequest(ADD, JSON.stringify(input));
          parseOptions(request.config);
          if (request.config.prevResult !== undefined) readAddresses(request.config.prevResult, "eth0");
        });
      }),
    );
  });

  it("rejects input that is not JSON with the code for decoding errors", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        onlyCniErrors(() => parseRequest(ADD, text));
        answerVersion(text);
      }),
    );
    assert.throws(() => parseRequest(ADD, "{"), { code: CODE.decode });
  });

  it("should accept valid facts unchanged", () => {
    for (const facts of [makeFacts(), makeFacts({ overlayCidrs: [], overlayMtu: 1450, returnPath: "snat" })])
      assert.deepEqual(parseFacts(JSON.stringify(facts)), facts);
  });

  it("should reject facts with an invalid field and name it", () => {
    const wrong = fc.oneof(
      fc.constantFrom("", null, -1, true),
      fc.constant(["x"]),
      fc.object({ key: fc.constant("x") }),
    );
    const fields = [
      "schema",
      "node",
      "uplink",
      "overlayCidrs",
      "overlayMtu",
      "serviceCidrs",
      "hijackCidrs",
      "returnPath",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...fields), wrong, (field, value) => {
        assert.throws(() => parseFacts(JSON.stringify({ ...makeFacts(), [field]: value })), new RegExp(field));
      }),
    );
  });

  it("should reject text that is not facts", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        assert.throws(() => parseFacts(text), Error);
      }),
    );
  });

  it("should read the pod from CNI_ARGS", () => {
    assert.deepEqual(parseRequest(ADD, "{}").pod, { namespace: "n", name: "p", uid: "u" });
  });

  it("should answer VERSION in the version of the request", () => {
    const readAnswer = (text: string) => (answerVersion(text) as { cniVersion: string }).cniVersion;
    assert.deepEqual(['{"cniVersion":"0.4.0"}', "{}", "no JSON"].map(readAnswer), ["0.4.0", "1.1.0", "1.1.0"]);
  });
});
