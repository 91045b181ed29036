import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { listAddressUses, readNodeHistory } from "./address-history.ts";
import { renderHistory } from "./render-addresses.ts";
import { useDirectory } from "../../testing/use-directory.ts";

describe("the history of addresses", () => {
  const directory = useDirectory();
  const call = (second: number, command: string, pod: string, more: object = {}) =>
    JSON.stringify({
      time: `2026-01-01T00:00:0${second}.000Z`,
      plugin: "interlay-ipam",
      command,
      containerId: `container-of-${pod}`,
      ifname: "eth0",
      pod: { namespace: "shop", name: pod, uid: pod },
      ...more,
    });

  it("names the pods that had an address, from the log and its rotated part", () => {
    const file = join(directory, "cni.log");
    const addresses = ["10.7.200.1"];
    writeFileSync(`${file}.1`, `${call(1, "ADD", "web-1", { addresses })}\n`);
    const lines = [
      call(2, "DEL", "web-1"),
      call(3, "ADD", "web-2", { error: "full" }),
      call(4, "ADD", "web-3", { addresses }),
      call(5, "ADD", "web-4", { plugin: "interlay", addresses: ["10.7.200.2"] }),
      '{"time":"2026',
    ];
    writeFileSync(file, lines.join("\n"));
    const uses = listAddressUses([readNodeHistory("n1", file), readNodeHistory("n2", join(directory, "none"))]);
    assert.deepEqual(
      uses.map(({ address, pod, node, since, until }) => [
        address,
        pod,
        node,
        since.slice(17, 19),
        until?.slice(17, 19),
      ]),
      [
        ["10.7.200.1", "shop/web-1", "n1", "01", "02"],
        ["10.7.200.1", "shop/web-3", "n1", "04", undefined],
      ],
    );
    assert.equal(
      renderHistory(uses),
      [
        "ADDRESS     POD         NODE  NIC   SINCE                     UNTIL                     CONTAINER",
        "10.7.200.1  shop/web-1  n1    eth0  2026-01-01T00:00:01.000Z  2026-01-01T00:00:02.000Z  container-of",
        "10.7.200.1  shop/web-3  n1    eth0  2026-01-01T00:00:04.000Z  -                         container-of",
        "",
      ].join("\n"),
    );
  });
});
