import type { z } from "zod";
import type { serviceObject } from "../kubernetes/objects.ts";
import type { ServicePort } from "../trace/paths/list-paths.ts";

type Service = z.infer<typeof serviceObject>;

/** Services other than that of the API server and of DNS to which paths are traced. */
const MOST_OTHERS = 12;
const DNS_PORT = 53;
const PROTOCOLS: Readonly<Record<string, ServicePort["protocol"]>> = { TCP: "tcp", UDP: "udp" };

/** Selects the Services to which paths are traced: the API server, DNS, and the first others by name. */
export function selectServices(services: readonly Service[]): readonly ServicePort[] {
  const isBasic = ({ metadata, spec }: Service): boolean =>
    (metadata.namespace === "default" && metadata.name === "kubernetes") ||
    spec.ports.some(({ port }) => port === DNS_PORT);
  const getName = ({ metadata }: Service): string => `${metadata.namespace ?? ""}/${metadata.name}`;
  const withEndpoints = services
    .filter((service) => isBasic(service) || Object.keys(service.spec.selector).length > 0)
    .toSorted((a, b) => (getName(a) < getName(b) ? -1 : 1));
  const others = withEndpoints.filter((service) => !isBasic(service)).slice(0, MOST_OTHERS);
  return [...withEndpoints.filter(isBasic), ...others].flatMap((service) =>
    service.spec.clusterIPs
      .filter((address) => address !== "None" && address !== "")
      .flatMap((address) =>
        service.spec.ports.flatMap(({ port, protocol }) => {
          const known = PROTOCOLS[protocol];
          return known === undefined ? [] : [{ name: getName(service), address, protocol: known, port }];
        }),
      ),
  );
}
