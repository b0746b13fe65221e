// One WebSocket that comes back by itself: back-off, state for the banner, reason of the last close.
import { subProtocol, type ServerMessage } from "./protocol.ts";

export type ConnectionState = "connecting" | "open" | "waiting";

const firstDelayMs = 500;
const longestDelayMs = 30_000;
const stableAfterMs = 5_000; // a connection that lived so long was good: start again with short delays

/** What a close code says, where the server gives no reason. */
const closeTexts: Record<number, string> = {
  1001: "the server has ended",
  1011: "the server has failed",
  1012: "the server starts again",
  1013: "the server has too many viewers",
};

export interface ConnectionEvents {
  message(message: ServerMessage): void;
  frame(data: ArrayBuffer, tReceive: number): void;
  changed(): void;
  start(): object; // the first message of every connection
}

export class Connection {
  state: ConnectionState = "connecting"; // open: the server has spoken
  reason = "";
  closeCode = 0;
  retryAt = 0; // performance.now() of the next attempt while waiting
  private socket: WebSocket | null = null;
  private delayMs = firstDelayMs;
  private timer = 0;
  private openedAt = 0;

  constructor(
    private readonly url: string,
    private readonly events: ConnectionEvents,
  ) {}

  connect(): void {
    clearTimeout(this.timer);
    this.setState("connecting");
    const socket = new WebSocket(this.url, subProtocol);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.openedAt = performance.now();
      this.send(this.events.start());
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (this.state !== "open") {
        this.reason = "";
        this.setState("open");
      }
      this.receive(event.data);
    };
    socket.onclose = (event) => this.closed(socket, event);
  }

  /** False if there is no connection: the scene is sent again as a whole when there is one. */
  send(message: object): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      this.events.frame(data, performance.now());
      return;
    }
    let message: ServerMessage;
    try {
      message = JSON.parse(data) as ServerMessage;
    } catch {
      console.error("nora: a message of the server is not JSON");
      return;
    }
    this.events.message(message);
  }

  private closed(socket: WebSocket, event: CloseEvent): void {
    if (socket !== this.socket) return;
    this.socket = null;
    if (this.openedAt > 0 && performance.now() - this.openedAt > stableAfterMs) this.delayMs = firstDelayMs;
    const unsaid = this.openedAt > 0 ? "connection lost" : "server not reachable";
    this.closeCode = event.code;
    this.reason = event.reason || (closeTexts[event.code] ?? unsaid);
    this.openedAt = 0;
    this.retryAt = performance.now() + this.delayMs;
    this.timer = window.setTimeout(() => this.connect(), this.delayMs);
    this.delayMs = Math.min(longestDelayMs, this.delayMs * 2);
    this.setState("waiting");
  }

  private setState(state: ConnectionState): void {
    this.state = state;
    this.events.changed();
  }
}
