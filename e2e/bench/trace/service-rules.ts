/** Services of the benchmark, each with one endpoint. */
export const SERVICE_COUNT = 5000;

/**
 * Formats the rules that kube-proxy writes in iptables mode for Services with one endpoint each, as input of iptables-restore.
 *
 * @param count number of Services, at most 60,000
 */
export function formatServiceRules(count: number): string {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const address = (network: string, index: number): string =>
    `${network}.${Math.floor(index / 250)}.${(index % 250) + 1}`;
  const chain = (kind: "SVC" | "SEP", index: number): string => `KUBE-${kind}-${String(index).padStart(16, "0")}`;
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":KUBE-FORWARD - [0:0]",
    "-A FORWARD -j KUBE-FORWARD",
    "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
    "COMMIT",
    "*nat",
    ":PREROUTING ACCEPT [0:0]",
    ":INPUT ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":POSTROUTING ACCEPT [0:0]",
    ...["KUBE-SERVICES", "KUBE-MARK-MASQ", "KUBE-POSTROUTING"].map((name) => `:${name} - [0:0]`),
    ...numbers.flatMap((index) => [`:${chain("SVC", index)} - [0:0]`, `:${chain("SEP", index)} - [0:0]`]),
    "-A PREROUTING -j KUBE-SERVICES",
    "-A OUTPUT -j KUBE-SERVICES",
    "-A POSTROUTING -j KUBE-POSTROUTING",
    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
    "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
    "-A KUBE-POSTROUTING -j MASQUERADE --random-fully",
    ...numbers.flatMap((index) => {
      const [service, endpoint] = [address("10.233", index), address("10.234", index)];
      const comment = `-m comment --comment "bench/service-${index}:http"`;
      return [
        `-A KUBE-SERVICES -d ${service}/32 -p tcp ${comment} -m tcp --dport 80 -j ${chain("SVC", index)}`,
        `-A ${chain("SVC", index)} ! -s 10.233.64.0/18 -d ${service}/32 -p tcp ${comment} -m tcp --dport 80 -j KUBE-MARK-MASQ`,
        `-A ${chain("SVC", index)} ${comment} -j ${chain("SEP", index)}`,
        `-A ${chain("SEP", index)} -s ${endpoint}/32 ${comment} -j KUBE-MARK-MASQ`,
        `-A ${chain("SEP", index)} -p tcp ${comment} -m tcp -j DNAT --to-destination ${endpoint}:8080`,
      ];
    }),
    "COMMIT",
    "",
  ].join("\n");
}
