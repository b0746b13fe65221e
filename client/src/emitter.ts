// Change notices by topic, and the lit controller that redraws a component when one of its topics changes.
import type { ReactiveController, ReactiveControllerHost } from "lit";

export class Emitter<Topic extends string> {
  private readonly listeners = new Map<Topic, Set<() => void>>();

  on(topic: Topic, listener: () => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener));
    return () => set.delete(listener);
  }

  emit(topic: Topic): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
  }
}

export class Watch<Topic extends string> implements ReactiveController {
  private stops: (() => void)[] = [];

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly emitter: () => Emitter<Topic>,
    private readonly topics: Topic[],
    private readonly when: (job: () => void) => void = (job) => job(),
  ) {
    host.addController(this);
  }

  private readonly redraw = (): void => this.host.requestUpdate();

  hostConnected(): void {
    this.stops = this.topics.map((topic) => this.emitter().on(topic, () => this.when(this.redraw)));
  }

  hostDisconnected(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
  }
}
