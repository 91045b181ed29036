/** CNI spec 1.1.0, section 5 "Error": codes 1 to 99 are the spec's, 100 and above are ours. */
export const CODE = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  /** The container is unknown or does not exist: nothing to clean up. */
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  decode: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** STATUS: the plugin cannot serve ADD requests. */
  notAvailable: 50,
  /** STATUS: as 50, and existing containers may have limited connectivity. */
  notAvailableLimited: 51,
  /** The agent has not written the facts of this node yet, or they are not readable. */
  noFacts: 100,
  /** The kernel refused a step of the plan; what was made before it has been undone. */
  apply: 101,
  /** CHECK: the kernel does not have what the plan says. */
  drift: 102,
  /** The pod is not one that Interlay can wire (no address, no way to its node). */
  unsupportedPod: 103,
  /** Another machine on the wire has the pod's address (conflictDetection). */
  addressConflict: 104,
  /** A gateway of the pod does not answer (gatewayDetection). */
  gatewaySilent: 105,
  /** IPAM: no address can be given. */
  noAddress: 110,
} as const;

export class CniError extends Error {
  readonly code: number;
  readonly details: string;

  /** @param message one sentence: what happened and to which pod, node or file; `details`: what to do */
  constructor(code: number, message: string, details = "") {
    super(message);
    this.name = "CniError";
    this.code = code;
    this.details = details;
  }
}

/** Code 104, with what the agent must know to give another address. */
export class AddressConflictError extends CniError {
  readonly address: string;
  /** Who has it; empty where the kernel does not say. */
  readonly mac: string;

  constructor(address: string, mac: string, message: string, details: string) {
    super(CODE.addressConflict, message, details);
    this.name = "AddressConflict";
    this.address = address;
    this.mac = mac;
  }
}

/** What goes to stdout. */
export function renderError(error: unknown, cniVersion: string): string {
  const { code, message, details } =
    error instanceof CniError
      ? error
      : { code: CODE.io, message: error instanceof Error ? error.message : String(error), details: "" };
  return JSON.stringify({ cniVersion, code, msg: message, ...(details === "" ? {} : { details }) });
}
