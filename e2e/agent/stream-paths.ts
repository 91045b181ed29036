import type { AgentFixture } from "./agent-fixture.ts";
import type { StreamPath } from "./streams.ts";

/** Lists paths without translation. */
export async function listPlainPaths({ findStreamEnd }: AgentFixture): Promise<readonly StreamPath[]> {
  const client = await findStreamEnd("underlay-1-a");
  return [
    { name: "underlay -> overlay on the other node", client, server: await findStreamEnd("overlay-2-b") },
    {
      name: "underlay -> multi-NIC's overlay address on the other node",
      client,
      server: await findStreamEnd("multi-nic-2-b"),
    },
    { name: "underlay -> overlay on the same node", client, server: await findStreamEnd("overlay-1-b") },
  ];
}

/** Lists paths on which Calico masquerades with the node's address. */
export async function listTranslatedPaths({ findStreamEnd }: AgentFixture): Promise<readonly StreamPath[]> {
  const client = await findStreamEnd("overlay-1-a");
  return [
    { name: "overlay -> underlay on the other node", client, server: await findStreamEnd("underlay-2-b") },
    {
      name: "overlay -> multi-NIC's net1 on the same node",
      client,
      server: await findStreamEnd("multi-nic-1-b", "net1"),
    },
    { name: "overlay -> underlay on the same node", client, server: await findStreamEnd("underlay-1-b") },
  ];
}
