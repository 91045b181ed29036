import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { PacketSocket } from "../../plugin/netlink/packet-socket.ts";
import { buildEthernetFrame, buildPacket } from "./datagram.ts";
import { type InjectRequest, type ProbeAnswer, writeQuestion } from "./protocol.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";

/** Port on which nothing of the suite listens. */
const SOURCE_PORT = 40_404;

const links = z.array(z.object({ ifindex: z.number(), address: z.string() })).min(1);
const neighbours = z.array(z.object({ dst: z.string(), lladdr: z.string().optional() }));

/**
 * Sends datagrams with the given addresses as frames by a link, past the pod's routing tables, rules and rp_filter. Needs
 * CAP_NET_RAW. Never throws: an answer with `ok` false has the error.
 */
export async function injectDatagrams(request: InjectRequest): Promise<Omit<ProbeAnswer, "id" | "latencyMs">> {
  try {
    const { device, neighbour, source, destination, port, token, count } = request;
    const [link] = links.parse(await readIp(["link", "show", "dev", device]));
    const entries = neighbours.parse(await readIp(["neighbour", "show", "dev", device]));
    const mac = entries.find(({ dst }) => dst === neighbour)?.lladdr;
    if (link === undefined || mac === undefined) throw new Error(`${device} has no neighbour ${neighbour}`);
    const payload = Buffer.from(writeQuestion({ question: "who", token, bytes: 0 }));
    const packet = buildPacket({ source, destination, sourcePort: SOURCE_PORT, destinationPort: port, payload });
    const socket = new PacketSocket(link.ifindex);
    try {
      for (let sent = 0; sent < count; sent += 1) socket.send(buildEthernetFrame(mac, link.address, packet));
    } finally {
      socket.close();
    }
    return { ok: true };
  } catch (error) {
    return { ok: false, error: `the datagram was not sent: ${getErrorMessage(error)}` };
  }
}

async function readIp(args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)("ip", ["-j", ...args]);
  return stdout.trim() === "" ? [] : JSON.parse(stdout);
}
