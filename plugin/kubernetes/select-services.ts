import type { z } from "zod";
import type { serviceObject } from "./objects.ts";

type Service = z.infer<typeof serviceObject>;

/** A port of a Service at its ClusterIP, named `namespace/name`. */
interface SelectedPort {
  readonly name: string;
  readonly address: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

const DNS_PORT = 53;
const PROTOCOLS: Readonly<Record<string, SelectedPort["protocol"]>> = { TCP: "tcp", UDP: "udp" };

/** Reports whether every pod needs the Service: that of the API server, and DNS. */
export function isBasicService({ metadata, spec }: Service): boolean {
  return (
    (metadata.namespace === "default" && metadata.name === "kubernetes") ||
    spec.ports.some(({ port }) => port === DNS_PORT)
  );
}

/**
 * Selects the Services to which paths are traced: those that every pod needs, and others with endpoints by name.
 *
 * @param maxOthers greatest number of others
 */
export function selectServices(services: readonly Service[], maxOthers: number): readonly SelectedPort[] {
  const getName = ({ metadata }: Service): string => `${metadata.namespace ?? ""}/${metadata.name}`;
  const withEndpoints = services
    .filter((service) => isBasicService(service) || Object.keys(service.spec.selector).length > 0)
    .toSorted((a, b) => (getName(a) < getName(b) ? -1 : 1));
  const chosen = [
    ...withEndpoints.filter(isBasicService),
    ...withEndpoints.filter((service) => !isBasicService(service)).slice(0, maxOthers),
  ];
  return chosen.flatMap((service) =>
    service.spec.clusterIPs
      .filter((address) => address !== "None" && address !== "")
      .flatMap((address) =>
        service.spec.ports.flatMap(({ port, protocol }) => {
          const knownProtocol = PROTOCOLS[protocol];
          return knownProtocol === undefined
            ? []
            : [{ name: getName(service), address, protocol: knownProtocol, port }];
        }),
      ),
  );
}
