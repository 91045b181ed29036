/** A link by the id of its namespace and its name there. */
export interface LinkRef {
  readonly namespace: string;
  readonly link: string;
}

/** A link that a frame passes on its way, in order. */
export type FrameStep =
  | { readonly kind: "egress" | "ingress"; readonly namespace: string; readonly link: string }
  | {
      readonly kind: "bridge";
      readonly namespace: string;
      readonly bridge: string;
      /** Undefined: the bridge's own link sends the frame. */
      readonly inPort: string | undefined;
      /** Undefined: the frame is for the bridge's own link. */
      readonly outPort: string | undefined;
    };

/** A link that gets frames with its MAC address from a sender. */
export interface FrameReceiver extends LinkRef {
  /** MAC addresses whose frames it accepts. */
  readonly macs: readonly string[];
  readonly steps: readonly FrameStep[];
  /** Smallest MTU of links that drop longer frames on the way. */
  readonly mtu: number;
}

export interface ReceiverSearch {
  readonly receivers: readonly FrameReceiver[];
  /** Links on the way behind which the snapshot ends, or that the model does not know: `node-1: eth0 (device)`. */
  readonly open: readonly string[];
}
