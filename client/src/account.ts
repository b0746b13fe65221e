// Who uses the page: asks the server, logs in and out. Nothing else of the page is there before that is known.
import { getJson, onLoggedOut, Problem, sendJson, setCsrf, textOf, type List } from "./api.ts";

import type { Scene } from "./scene.ts";

export interface User {
  id: number;
  name: string;
  fullName: string;
  email: string;
  administrator: boolean;
  origin: string; // local, ldap, oidc
}

/** A provider of OpenID Connect: `url` begins a log-in there. */
export interface LogInProvider {
  name: string;
  title: string;
  url: string;
}

export interface Me {
  user: User | null;
  entrance: "session" | "token" | "shareLink" | "guest" | "local";
  csrf: string | null;
  logIn: { directories: string[]; providers: LogInProvider[] }; // beside accounts of the server itself
  setup: boolean; // an administrator has still to be made
  share: { projectId: number; rights: string[]; scene: Partial<Scene>; expires: string } | null; // what a link shows
  version: string;
}

const retryMs = 2_000;
const failedKey = "login_failed"; // in the address, after a log-in at a provider that came to nothing

/** The word of such an address, which is then gone from it. */
function takeFailedLogIn(): string {
  const url = new URL(location.href);
  const word = url.searchParams.get(failedKey) ?? "";
  url.searchParams.delete(failedKey);
  if (word !== "") history.replaceState(history.state, "", url);
  return word;
}

export class Account {
  me: Me | null = null;
  state: "asking" | "in" | "out" = "asking";
  failed = ""; // why nobody knows who this is
  private turn = 0;
  readonly failedLogIn = takeFailedLogIn();
  private wanted = this.failedLogIn !== ""; // a guest wants to log in

  constructor(
    private readonly changed: () => void,
    private readonly otherUser: () => void,
  ) {
    onLoggedOut(() => void this.ask());
  }

  /** Alone at their own machine, without accounts. */
  get isLocal(): boolean {
    return this.me?.entrance === "local";
  }

  get isAdministrator(): boolean {
    return this.isLocal || this.me?.user?.administrator === true;
  }

  /** Asks who this is; asks again while there is no answer. */
  async ask(): Promise<void> {
    const turn = ++this.turn;
    try {
      await this.take(await getJson<Me>("me"), turn);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return;
      this.failed = textOf(error);
      if (this.state === "asking") window.setTimeout(() => void this.ask(), retryMs);
      this.changed();
    }
  }

  async logIn(name: string, password: string): Promise<void> {
    const me = await sendJson<Me>("POST", "login", { name, password });
    await this.take(me, ++this.turn);
  }

  /** Makes the first administrator; the secret is in the link that the server printed. */
  async setUp(secret: string, name: string, password: string): Promise<void> {
    const me = await sendJson<Me>("POST", "setup", { secret, name, password });
    await this.take(me, ++this.turn);
  }

  async logOut(): Promise<void> {
    await sendJson("POST", "logout");
    this.otherUser();
  }

  wantLogIn(): void {
    this.wanted = true;
    this.state = "out";
    this.changed();
  }

  /** An answer from before a later question, or a log-in, says nothing any more. */
  private async take(me: Me, turn: number): Promise<void> {
    if (turn !== this.turn) return;
    setCsrf(me.csrf);
    const state = (await this.mayEnter(me)) ? "in" : "out";
    if (turn !== this.turn) return;
    const before = this.me?.user?.id;
    const wasIn = this.state === "in" || before !== undefined;
    const isOther = wasIn && before !== me.user?.id;
    if (state === "in" && (isOther || this.wanted)) return this.otherUser();
    this.me = me.user || state === "in" || !this.me ? me : { ...me, user: this.me.user }; // who was in, until somebody else is
    this.failed = "";
    this.state = state;
    this.changed();
  }

  /** Guests stay where something is shown to everybody. */
  private async mayEnter(me: Me): Promise<boolean> {
    if (me.user || me.entrance !== "guest") return true;
    if (me.setup || this.wanted) return false;
    try {
      return (await getJson<List<unknown>>("projects")).items.length > 0;
    } catch {
      return false;
    }
  }
}
