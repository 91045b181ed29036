import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CNI_PROTOCOL,
  decodeRequest,
  decodeResponse,
  encodeFallback,
  encodeRequest,
  encodeResponse,
  LENGTH_BYTES,
} from "./cni-protocol.ts";

const request = (fields: readonly string[], stdin = ""): Buffer =>
  Buffer.from(`${fields.map((field) => `${field}\0`).join("")}\0${stdin}`);
const HEAD = [CNI_PROTOCOL, "interlay", "1700000000000", "5000", "4:1", "4:2"];

describe("requests of the launcher", () => {
  it("should decode name, times, namespaces, environment and stdin", () => {
    const stdin = '{"name":"a\\u0000b"}\n';
    const bytes = request([...HEAD, "CNI_COMMAND=ADD", "CNI_ARGS=A=1;B=2"], stdin);
    assert.deepEqual(decodeRequest(bytes), {
      name: "interlay",
      startedMs: 1_700_000_000_000,
      timeoutMs: 5000,
      ownNetns: "4:1",
      podNetns: "4:2",
      stdin,
      env: { CNI_COMMAND: "ADD", CNI_ARGS: "A=1;B=2" },
    });
  });

  it("should decode a request without a pod namespace or a configuration", () => {
    const frame = decodeRequest(request([...HEAD.slice(0, 5), "", "CNI_COMMAND=VERSION"]));
    assert.deepEqual([frame?.podNetns, frame?.stdin, frame?.env["CNI_COMMAND"]], ["", "", "VERSION"]);
  });

  it("should reject other protocols and truncated requests without throwing", () => {
    assert.equal(decodeRequest(request(["interlay-call/2", ...HEAD.slice(1)])), undefined);
    const whole = request([...HEAD, "CNI_COMMAND=ADD"], "{}");
    const head = whole.length - "\0{}".length;
    for (let length = 0; length < head; length++) assert.equal(decodeRequest(whole.subarray(0, length)), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeRequest(Buffer.from(bytes));
      }),
    );
  });
});

describe("the protocol of CNI calls", () => {
  it("should decode the request that it encodes", () => {
    const frame = {
      name: "interlay-ipam",
      startedMs: 1_700_000_000_000,
      timeoutMs: 15_000,
      ownNetns: "4:1",
      podNetns: "",
      env: { CNI_COMMAND: "ADD", CNI_ARGS: "A=1;B=2" },
      stdin: '{"name":"a"}\n',
    };
    const bytes = encodeRequest(frame);
    assert.equal(bytes.readUInt32LE(0), bytes.length - LENGTH_BYTES);
    assert.deepEqual(decodeRequest(bytes.subarray(LENGTH_BYTES)), frame);
  });

  it("should decode the response that it encodes, and no part of it", () => {
    const bytes = encodeResponse(1, '{"code":7}');
    assert.deepEqual(decodeResponse(bytes), { status: 1, output: '{"code":7}' });
    for (let length = 0; length < bytes.length; length++)
      assert.equal(decodeResponse(bytes.subarray(0, length)), undefined);
    assert.deepEqual(decodeResponse(encodeResponse(0, "")), { status: 0, output: "" });
  });
});

describe("encodeResponse", () => {
  it("should encode status, length and text with a line end", () => {
    const bytes = encodeResponse(1, '{"code":7}');
    assert.deepEqual(
      [bytes[0], bytes.readUInt32LE(1), bytes.toString("utf8", 1 + LENGTH_BYTES)],
      [1, 11, '{"code":7}\n'],
    );
  });

  it("should encode commands without a result, and the fallback", () => {
    assert.deepEqual([...encodeResponse(0, "")], [0, 0, 0, 0, 0]);
    assert.deepEqual([...encodeFallback()], [255, 0, 0, 0, 0]);
  });
});
