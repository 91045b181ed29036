import assert from "node:assert/strict";
import { parseListeners } from "./parse-listeners.ts";

describe("listening sockets of ss", () => {
  it("reads protocol, family, address and port", () => {
    const text = [
      "udp   UNCONN 0 0 0.0.0.0:4789 0.0.0.0:*",
      "tcp   LISTEN 0 128 [::1]:2024 [::]:*",
      "udp   UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*",
    ].join("\n");
    assert.deepEqual(parseListeners(text), [
      { protocol: "udp", family: "ipv4", address: "0.0.0.0", port: 4789 },
      { protocol: "tcp", family: "ipv6", address: "::1", port: 2024 },
      { protocol: "udp", family: "ipv4", address: "127.0.0.53", port: 53 },
    ]);
  });

  it("a socket of both families listens in each", () => {
    const both = parseListeners("tcp LISTEN 0 128 *:8080 *:*\n");
    assert.deepEqual(
      both.map(({ family, address }) => [family, address]),
      [
        ["ipv4", "0.0.0.0"],
        ["ipv6", "::"],
      ],
    );
  });
});
