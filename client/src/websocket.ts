// One WebSocket that comes back by itself: back-off, state for the banner, reason of the last close.
import { doubtMs, Heartbeat, silenceMs } from "./heartbeat.ts";
import { subProtocol, type ServerMessage } from "./protocol.ts";

export type ConnectionState = "connecting" | "open" | "waiting";

const firstDelayMs = 500;
const soonestMs = 100; // where a good connection broke: mostly the next one is there at once
const goodAfterMs = 1_000;
const longestDelayMs = 30_000;
const stableAfterMs = 5_000; // a connection that lived so long was good: start again with short delays
const greetingMs = 10_000; // for the way to the server and its first word
const longestPatienceMs = 40_000;
const soonMs = 60_000; // a connection that was taken for dead so early may only be slow

const brokenOff = 1006; // close code: no word of goodbye
export const takenOver = 4001; // close code: the session goes on elsewhere
export const notAllowed = 4003; // close code: who this is has to be asked again

/** What a close code says, where the server gives no reason. */
const closeTexts: Record<number, string> = {
  1001: "the server has ended",
  1011: "the server has failed",
  1012: "the server starts again",
  1013: "the server has too many viewers",
  4003: "what you may see has changed",
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
  private started = false;
  private openedAt = 0;
  private patienceMs = silenceMs; // for an answer: one picture may take that long on a slow way
  private readonly heartbeat = new Heartbeat({
    doubt: () => this.doubt(),
    silent: () => this.state === "open" && this.ask(this.patienceMs),
    dead: () => this.giveUp(),
    isSeen: () => !document.hidden,
  });

  constructor(
    private readonly url: string,
    private readonly events: ConnectionEvents,
  ) {
    this.heartbeat.start();
  }

  /** True from the first attempt until it is stopped. */
  get isStarted(): boolean {
    return this.started;
  }

  /** No further attempts. */
  stop(): void {
    clearTimeout(this.timer);
    this.started = false;
    const { socket } = this;
    this.socket = null;
    socket?.close();
    if (this.state === "waiting") return;
    this.reason = "";
    this.setState("waiting");
  }

  connect(): void {
    clearTimeout(this.timer);
    this.started = true;
    this.setState("connecting");
    this.heartbeat.expect(greetingMs);
    const socket = new WebSocket(this.url, subProtocol);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.openedAt = performance.now();
      this.send(this.events.start());
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      this.heartbeat.heard();
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

  private ask(withinMs: number): void {
    this.heartbeat.expect(withinMs);
    this.send({ type: "ping", token: Math.floor(performance.now()) });
  }

  private doubt(): void {
    if (!this.started) return;
    if (this.state === "waiting") this.connect();
    else if (this.state === "open") this.ask(doubtMs);
    else this.heartbeat.expect(greetingMs);
  }

  private giveUp(): void {
    if (!this.socket) return;
    const wasOpen = this.state === "open";
    const isEarly = performance.now() - this.openedAt < soonMs;
    if (wasOpen) this.patienceMs = isEarly ? Math.min(longestPatienceMs, 2 * this.patienceMs) : silenceMs;
    const { socket } = this;
    this.socket = null; // what it says from now on is not heard
    socket.close();
    this.ended(0, "the server does not answer", wasOpen);
  }

  private closed(socket: WebSocket, { code, reason }: CloseEvent): void {
    if (socket !== this.socket) return;
    this.socket = null;
    const unsaid = this.openedAt > 0 ? "connection lost" : "server not reachable";
    this.ended(code, reason || (closeTexts[code] ?? unsaid), code === takenOver);
  }

  private ended(code: number, reason: string, tryAtOnce: boolean): void {
    const livedMs = this.openedAt > 0 ? performance.now() - this.openedAt : 0;
    if (livedMs > stableAfterMs) this.delayMs = firstDelayMs;
    const broke = code === brokenOff && livedMs > goodAfterMs;
    const delayMs = tryAtOnce ? 0 : broke ? soonestMs : this.delayMs;
    this.openedAt = 0;
    this.closeCode = code;
    this.reason = reason;
    this.retryAt = performance.now() + delayMs;
    this.setState("waiting");
    if (!this.started) return;
    if (tryAtOnce) return this.connect();
    this.timer = window.setTimeout(() => this.connect(), delayMs);
    if (!broke) this.delayMs = Math.min(longestDelayMs, this.delayMs * 2);
  }

  private setState(state: ConnectionState): void {
    this.state = state;
    this.events.changed();
  }
}
