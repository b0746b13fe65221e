// Finds the place where a text stops being JSON (RFC 8259): browsers tell it each in their own way, or not at all.

export interface Fault {
  at: number; // index in the text
  line: number; // from 1
  column: number; // from 1, in characters
  text: string; // what was expected
}

const deepest = 32; // as the server takes it
const mostBytes = 1 << 20;
const numbers = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const words = /true|false|null/y;
const blanks = /[ \t\n\r]*/y;

class Stop extends Error {
  constructor(
    readonly at: number,
    text: string,
  ) {
    super(text);
  }
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  /** Throws a Stop. */
  read(): void {
    this.skip();
    if (this.text[this.at] !== "{") throw new Stop(this.at, "expected { : metadata are an object");
    this.value(1);
    this.skip();
    if (this.at < this.text.length) throw new Stop(this.at, "expected the end behind the last }");
  }

  private value(depth: number): void {
    this.skip();
    const letter = this.text[this.at];
    if (depth > deepest) throw new Stop(this.at, `at most ${deepest} levels can be inside one another`);
    if (letter === "{") return this.list("}", depth, (seen) => this.member(depth, seen));
    if (letter === "[") return this.list("]", depth, () => this.value(depth + 1));
    if (letter === '"') return void this.string();
    if (this.takes(words) || this.takes(numbers)) return;
    throw new Stop(this.at, 'expected a value: "text", a number, true, false, null, { or [');
  }

  private list(end: string, _depth: number, item: (seen: Set<string>) => void): void {
    const start = this.at++;
    const seen = new Set<string>();
    this.skip();
    if (this.text[this.at] === end) return void ++this.at;
    for (;;) {
      item(seen);
      this.skip();
      const letter = this.text[this.at];
      if (letter === end) return void ++this.at;
      if (letter === undefined) throw new Stop(this.at, `expected ${end} for the ${this.text[start]} in line ${lineOf(this.text, start)}`);
      if (letter !== ",") throw new Stop(this.at, `expected , or ${end}`);
      ++this.at;
    }
  }

  private member(depth: number, seen: Set<string>): void {
    this.skip();
    const start = this.at;
    if (this.text[start] !== '"') throw new Stop(start, 'expected a key in quotes ("key")');
    const key = this.string();
    if (seen.has(key)) throw new Stop(start, `the key "${key}" is there twice`);
    seen.add(key);
    this.skip();
    if (this.text[this.at] !== ":") throw new Stop(this.at, `expected : behind the key "${key}"`);
    ++this.at;
    this.value(depth + 1);
  }

  private string(): string {
    const start = this.at++;
    for (; this.text[this.at] !== '"'; ++this.at) {
      const letter = this.text[this.at];
      if (letter === undefined || letter === "\n") throw new Stop(start, "this text has no quote at its end");
      if (letter < " ") throw new Stop(this.at, "a control character must be written as \\u00..");
      if (letter !== "\\") continue;
      const escape = /^(["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.text.slice(this.at + 1, this.at + 6));
      if (!escape) throw new Stop(this.at, 'expected \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four digits');
      this.at += escape[0].length;
    }
    ++this.at;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private takes(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found !== null;
  }

  private skip(): void {
    this.takes(blanks);
  }
}

const lineOf = (text: string, at: number): number => text.slice(0, at).split("\n").length;

/** Null if the text is a JSON object that the server takes. */
export function checkMeta(text: string): Fault | null {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > mostBytes) return { at: 0, line: 1, column: 1, text: `${bytes} bytes are more than the ${mostBytes} that metadata can have` };
  try {
    new Reader(text).read();
    return null;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = text.slice(0, error.at);
    const column = [...before.slice(before.lastIndexOf("\n") + 1)].length + 1;
    return { at: error.at, line: lineOf(text, error.at), column, text: error.message };
  }
}
