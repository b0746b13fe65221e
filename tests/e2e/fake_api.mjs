// A server of the page and of /api/v1 in memory, for tests of the page alone: a project made by formula, so that a million
// files cost nothing, and accounts. Run by itself: node fake_api.mjs FILES [local|accounts] PORT
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = join(dirname(fileURLToPath(import.meta.url)), "../../client/dist");
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8" };
const perSubject = 100;
const perStudy = 50;
const kinds = ["T1w.nii.gz", "T2w.nii.gz", "bold.nii.gz", "dwi.nii.gz", "events.tsv", "report.pdf", "lh.pial", "tracts.trk"];
const kindOf = (i) => ["image", "image", "image", "image", "table", "document", "surface", "streamlines"][i % 8];
const isBroken = (i) => i % 97 === 96;
const time = (day) => new Date(Date.UTC(2024, 0, 1 + (day % 700), day % 24, day % 60)).toISOString();
const number = (n, digits) => String(n).padStart(digits, "0");
export const subjectName = (id) => `sub-${number(id, 5)}`;

class Refusal extends Error {
  constructor(status, detail, more = {}) {
    super(detail);
    Object.assign(this, { status, more });
  }
}

/** Items of all levels; what was changed is kept beside the formula. */
class Items {
  constructor(files) {
    this.files = files;
    this.revision = 1;
    this.meta = new Map(); // "files/3" -> { meta, revision, history }
    this.tags = new Map();
    this.gone = new Set();
    this.added = 0;
  }

  count(level) {
    return level === "files" ? this.files : Math.ceil(this.files / (level === "subjects" ? perSubject : perStudy));
  }

  metaOf(level, id) {
    const own = level === "subjects" ? { age: 20 + (id % 60), group: id % 2 ? "patient" : "control" } : level === "files" ? { scan: { tr: 2 + (id % 4) / 10 } } : {};
    return this.meta.get(`${level}/${id}`) ?? { meta: own, revision: 1, history: [] };
  }

  tagsOf(level, id) {
    return [...(this.tags.get(`${level}/${id}`) ?? (level === "files" && id % 10 === 0 ? ["checked"] : []))];
  }

  path(id) {
    const i = id - 1;
    const subject = subjectName(Math.floor(i / perSubject) + 1);
    const study = `ses-${(Math.floor(i / perStudy) % 2) + 1}`;
    return `${subject}/${study}/${subject}_${study}_run-${number(i % perStudy, 2)}_${kinds[i % kinds.length]}`;
  }

  row(level, id) {
    if (!Number.isInteger(id) || id < 1 || id > this.count(level) || this.gone.has(`${level}/${id}`)) return null;
    const { meta, revision } = this.metaOf(level, id);
    const common = { id, level, tags: this.tagsOf(level, id), meta, revision, projectId: 1, project: "generated", created: time(id), changed: time(id + 3) };
    const perItem = level === "studies" ? perStudy : perSubject;
    if (level !== "files") {
      const files = Math.min(perItem, this.files - (id - 1) * perItem);
      const subjectId = level === "studies" ? Math.ceil(id / 2) : id;
      const name = level === "studies" ? `ses-${((id - 1) % 2) + 1}` : subjectName(id);
      return { ...common, name, counts: { studies: Math.ceil(files / perStudy), files }, ...(level === "studies" ? { subjectId, subject: subjectName(subjectId), date: time(id).slice(0, 10) } : {}) };
    }
    const i = id - 1;
    const path = this.path(id);
    const [subject, study, name] = path.split("/");
    const kind = kindOf(i);
    const broken = isBroken(i);
    return {
      ...common, name, path, subject, study, kind,
      subjectId: Math.floor(i / perSubject) + 1, studyId: Math.floor(i / perStudy) + 1,
      format: kind === "image" ? "NIfTI-1" : kind, size: 1000 + ((i * 7919) % 9_000_000), modified: time(id + 1),
      state: broken ? "broken" : "present", reason: broken ? "the header says 352 bytes more than the file has" : "",
      modality: kind === "image" ? "MR" : "", sequence: kind === "image" ? "mprage" : "",
      dims: kind === "image" ? [256, 256, 176, i % 8 === 2 ? 200 : 1] : [0, 0, 0, 0], spacingMm: kind === "image" ? [1, 1, 1] : [0, 0, 0],
      date: time(id).slice(0, 10), source: { path }, warnings: [], instances: 1,
    };
  }

  /** A little of the search language: words, field:value, !x; brackets only have to be whole. */
  search(q) {
    let open = [];
    [...q].forEach((letter, i) => (letter === "(" ? open.push(i + 1) : letter === ")" && open.pop()));
    if (open.length > 0) throw new Refusal(400, `column ${[...q].length + 1}: expected ) for the ( in column ${open[0]}`, { code: "invalidInput", field: "q" });
    const size = /size:>(\d+)(\S*)/.exec(q);
    if (size && !["", "k", "M", "G"].includes(size[2])) throw new Refusal(400, `column ${size.index + 7}: expected a size like 500k, 10M, 2G, not "${size[1]}${size[2]}"`, { field: "q" });
    const terms = (q.match(/!?[\w.]+:"[^"]*"|"[^"]*"|[^\s()&]+/g) ?? []).filter((term) => term !== "|").map((term) => this.term(term));
    return (level, id) => terms.every((fits) => fits(level, id));
  }

  term(text) {
    const wanted = !text.startsWith("!");
    const term = wanted ? text : text.slice(1);
    const field = /^([\w.]+):"?(.*?)"?$/.exec(term);
    if (!field) {
      const word = term.toLowerCase();
      return (level, id) => (level === "files" ? this.path(id) : JSON.stringify([this.row(level, id)?.name, this.row(level, id)?.subject])).toLowerCase().includes(word) === wanted;
    }
    const [, key, value] = field;
    const pattern = new RegExp(`^${value.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "i");
    const fits = (text) => pattern.test(text) === wanted;
    const quick = {
      kind: (i) => kindOf(i), state: (i) => (isBroken(i) ? "broken" : "present"), subject: (i) => subjectName(Math.floor(i / perSubject) + 1),
      study: (i) => `ses-${(Math.floor(i / perStudy) % 2) + 1}`, path: (i) => this.path(i + 1), name: (i) => this.path(i + 1).split("/")[2],
    }[key];
    return (level, id) => {
      if (level === "files" && quick) return fits(quick(id - 1));
      if (key === "tag") return this.tagsOf(level, id).some((tag) => pattern.test(tag)) === wanted;
      const row = this.row(level, id);
      const has = key === "subject" && level === "subjects" ? row?.name : key.startsWith("meta.") ? row?.meta[key.slice(5)] : row?.[key];
      return has === undefined ? !wanted : fits(String(has));
    };
  }

  /** All that fit; `most` where the first ones will do. */
  ids(level, { q = "", subject, study, sort = "", descending }, most = Infinity) {
    const from = subject && level !== "subjects" ? (subject - 1) * (level === "files" ? perSubject : 2) + 1 : study && level === "files" ? (study - 1) * perStudy + 1 : 1;
    const many = subject && level === "files" ? perSubject : subject && level === "studies" ? 2 : study ? perStudy : Infinity;
    const to = Math.min(this.count(level), from + many - 1);
    const fits = q.trim() === "" ? null : this.search(q);
    const ids = [];
    for (let id = from; id <= to && ids.length < most; ++id) if ((!fits || fits(level, id)) && !this.gone.has(`${level}/${id}`)) ids.push(id);
    if (sort === "size") ids.sort((a, b) => ((a - 1) * 7919) % 9_000_000 - (((b - 1) * 7919) % 9_000_000) || a - b);
    if (descending) ids.reverse();
    return ids;
  }
}

function packIds(ids) {
  const bytes = [];
  let last = 0;
  for (const id of ids) {
    const by = id - last;
    let value = by >= 0 ? by * 2 : -by * 2 - 1;
    for (last = id; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
    bytes.push(value);
  }
  return Buffer.from(bytes);
}

const rights = ["read", "annotate", "edit", "process", "download", "see-identity", "administer"];

/** `accounts`: users log in; else one local user. Returns { url, items, tell, hits, ... , stop }. */
export async function fakeApi({ files = 1000, accounts = false, port = 0, setup = "" } = {}) {
  const items = new Items(files);
  const state = {
    users: setup ? [] : [
      { id: 1, name: "ada", fullName: "Ada Lovelace", email: "ada@lab.example", administrator: true, disabled: false, absent: false, origin: "local", password: "analytical", created: time(1), seen: time(30) },
      { id: 2, name: "ben", fullName: "Ben <b>Bold</b>", email: "", administrator: false, disabled: false, absent: false, origin: "ldap", password: "engine-room", created: time(2), seen: null },
    ],
    groups: [{ id: 1, name: "readers", origin: "local", members: [2] }, { id: 2, name: "lab", origin: "ldap", members: [2] }],
    grants: [{ userId: null, groupId: 1, groupName: "readers", everybody: false, rights: ["read", "download"] }],
    tokens: [], filters: [], sessions: new Map(), failed: 0, nextId: 100, scanning: false,
    audit: Array.from({ length: 250 }, (_, i) => ({ id: 250 - i, at: time(600 - i), user: i % 3 ? "ada" : "ben", action: ["login", "file.download", "meta.set"][i % 3], projectId: 1, item: items.path((i % files) + 1), detail: {}, address: "127.0.0.1" })),
  };
  const hits = []; // "METHOD path" of every request
  const sockets = new Set();
  const allUsers = () => state.users.map(({ password, ...user }) => user);
  const project = () => ({ id: 1, name: "generated", title: "Generated", root: "/data/generated", inPlace: true, hideIdentity: false, rights: fake.rights, showsIdentity: true, counts: { subjects: items.count("subjects"), studies: items.count("studies"), files: items.files } });

  const sessionOf = (request) => state.sessions.get(/nora=(\w+)/.exec(request.headers.cookie ?? "")?.[1]);
  const me = (session) => {
    const user = session ? allUsers().find((each) => each.id === session.userId) : null;
    const entrance = accounts ? (user ? "session" : "guest") : "local";
    return { user, entrance, csrf: session?.csrf ?? null, logIn: { directories: accounts ? ["Lab directory"] : [], providers: accounts ? [{ name: "lab", title: "Lab ID", url: `${fake.url}api/v1/login/oidc?provider=lab` }] : [] }, setup: state.users.length === 0, version: "fake" };
  };
  const enter = (user, response) => {
    const key = `s${++state.nextId}`;
    const session = { id: state.nextId, userId: user.id, userName: user.name, csrf: `c${state.nextId}`, address: "127.0.0.1", created: time(1), seen: time(2), expires: time(90) };
    state.sessions.set(key, session);
    response.setHeader("Set-Cookie", `nora=${key}; HttpOnly; SameSite=Lax; Path=/`);
    return me(session);
  };
  const logIn = ({ name, password }, response) => {
    if (state.failed >= 5) throw new Refusal(429, "too many failed log-ins", { retryAfter: 42 });
    const user = state.users.find((each) => each.name === name && each.password === password && !each.disabled);
    if (!user && ++state.failed) throw new Refusal(403, "Name or password is wrong.", { code: "forbidden" });
    state.failed = 0;
    return enter(user, response);
  };
  const setUp = ({ secret, name, password }, response) => {
    if (secret !== setup || state.users.length > 0) throw new Refusal(403, "The link has been used or is of an earlier start: start the server again for a new one.");
    state.users.push({ id: 1, name, fullName: "", email: "", administrator: true, disabled: false, absent: false, origin: "local", password, created: time(1), seen: null });
    return enter(state.users[0], response);
  };

  const send = (socket, data) => {
    const body = Buffer.from(data);
    const head = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
    socket.write(Buffer.concat([head, body]));
  };
  const news = () => JSON.stringify({ type: "archive", revision: items.revision, scanning: state.scanning, files: items.files });
  const tell = () => sockets.forEach((socket) => send(socket, news()));
  const changed = () => {
    ++items.revision;
    tell();
  };

  function list(level, query) {
    const limit = Math.min(1000, Number(query.limit ?? 100));
    const ids = items.ids(level, query, query.total || query.after || query.sort === "size" || query.descending ? Infinity : limit + 1);
    const from = query.after ? ids.indexOf(Number(query.after)) + 1 : 0;
    const page = ids.slice(from, from + limit);
    return { items: page.map((id) => items.row(level, id)), next: from + limit < ids.length ? page.at(-1) : null, total: query.total ? ids.length : null, totalIsMore: false };
  }

  function setMeta(level, id, text, ifMatch, user) {
    const now = items.metaOf(level, id);
    if (ifMatch !== `"${now.revision}"`) throw new Refusal(412, "changed by somebody else", { code: "unavailable" });
    const after = JSON.parse(text);
    const history = [{ at: time(900 + now.history.length), user, before: now.meta, after }, ...now.history];
    items.meta.set(`${level}/${id}`, { meta: after, revision: ++items.revision, history });
    tell();
    return { revision: items.revision };
  }

  function tag({ level, ids, q, add, remove }) {
    let count = 0;
    for (const id of ids ?? items.ids(level, { q })) {
      const tags = new Set(items.tagsOf(level, id));
      const before = [...tags].join();
      add?.forEach((each) => tags.add(each));
      remove?.forEach((each) => tags.delete(each));
      if ([...tags].join() === before) continue;
      items.tags.set(`${level}/${id}`, [...tags].sort());
      ++count;
    }
    if (count > 0) changed();
    return { changed: count };
  }

  function admin(method, parts, body, query) {
    const [what, id, more, member] = parts;
    const byId = (all) => all.find((each) => each.id === Number(id)) ?? (() => { throw new Refusal(404, "there is none"); })();
    if (what === "users") {
      if (method === "POST") {
        if (state.users.some((user) => user.name === body.name)) throw new Refusal(400, "there is a user of that name", { field: "name" });
        state.users.push({ id: ++state.nextId, fullName: "", email: "", administrator: false, disabled: false, absent: false, origin: "local", created: time(1), seen: null, ...body });
      } else if (method === "PATCH") Object.assign(byId(state.users), body);
      else if (method === "DELETE") state.users.splice(state.users.indexOf(byId(state.users)), 1);
      else return { items: allUsers(), next: null };
      return {};
    }
    if (what === "groups") {
      const group = state.groups.find((each) => each.name === id);
      if (method === "POST") state.groups.push({ id: ++state.nextId, name: body.name, origin: "local", members: [] });
      else if (more === "members" && method === "PUT") group.members.push(Number(member));
      else if (more === "members") group.members = group.members.filter((each) => each !== Number(member));
      else if (method === "DELETE") state.groups.splice(state.groups.indexOf(group), 1);
      else return { items: state.groups, next: null };
      return {};
    }
    if (what === "sessions") {
      if (method === "DELETE") for (const [key, session] of state.sessions) if (session.id === Number(id)) state.sessions.delete(key);
      return { items: [...state.sessions.values()].map(({ csrf, ...session }) => session), next: null };
    }
    if (what === "audit") {
      const found = state.audit.filter((each) => (!query.user || each.user === query.user) && (!query.action || each.action === query.action) && (!query.before || each.id < Number(query.before)));
      return { items: found.slice(0, Number(query.limit ?? 100)), next: found.length > 100 ? found[99].id : null };
    }
    if (id === "check") return { problems: ["1 tags of items that are not there"], seconds: 0.4 };
    const counts = { added: 3, changed: 0, unchanged: 40, moved: 0, touched: 1, vanished: 2, broken: 0 };
    const lastScan = { at: "2026-03-01T12:00:00Z", host: "archive-1", seconds: 2.5, failed: null, problems: [], ...counts };
    return {
      version: "fake", database: "/data/index.sqlite", revision: items.revision, counts: project().counts, local: !accounts,
      index: { engine: "SQLite 3.46", schema: 7, bytes: 120_000_000, freeBytes: 90_000_000_000, roundTripMs: 0.3 },
      storage: [{ projectId: 1, project: "generated", root: "/data/generated", files: items.files, bytes: 4_000_000 * items.files, freeBytes: 812_000_000_000,
                  journal: { file: "/data/store/.nora/generated/journal-1.jsonl", known: 2_000_000, onDisk: 3_000_000 }, lastScan }],
      health: [{ project: "generated", problem: "2 files vanished since the last scan" }],
    };
  }

  function answer(request, response, path, query, body) {
    const { method } = request;
    const session = sessionOf(request);
    const [first, id, more] = path;
    if (path.join("/") === "me") return me(session);
    if (first === "login") return logIn(body, response);
    if (first === "setup") return setUp(body, response);
    if (accounts && !session) {
      if (first === "projects") return { items: [], next: null };
      throw new Refusal(401, "log in");
    }
    if (accounts && method !== "GET" && request.headers["x-nora-csrf"] !== session.csrf) throw new Refusal(403, "the csrf header is missing");
    if (first === "logout") return void [...state.sessions].forEach(([key, each]) => each === session && state.sessions.delete(key));
    if (first === "me") return mine(method, path, body, session);
    if (first === "projects" && more === "grants") {
      if (method === "GET") return { items: state.grants, next: null };
      const same = (grant) => grant.userId === (body.userId ?? null) && grant.groupId === (body.groupId ?? null) && grant.everybody === !!body.everybody;
      state.grants = state.grants.filter((grant) => !same(grant));
      if (body.rights.length > 0) state.grants.push({ userId: body.userId ?? null, userName: state.users.find((u) => u.id === body.userId)?.name, groupId: body.groupId ?? null, groupName: state.groups.find((g) => g.id === body.groupId)?.name, everybody: !!body.everybody, rights: body.rights });
      return {};
    }
    if (first === "projects") return { items: [project()], next: null };
    if (["users", "groups", "sessions", "audit", "server"].includes(first)) return admin(method, path, body, query);
    if (first === "tags" && method === "POST") return tag(body);
    if (first === "tags") return { items: [{ name: "checked", count: Math.floor(files / 10) }, { name: "exclude", count: 3 }] };
    if (first === "filters") {
      if (method === "POST") state.filters.push({ id: ++state.nextId, ...body });
      if (method === "DELETE") state.filters = state.filters.filter((filter) => filter.id !== Number(id));
      return { items: state.filters, next: null };
    }
    if (["subjects", "studies", "files"].includes(first)) return archive(request, response, path, query, body, session);
    throw new Refusal(404, "there is no such route");
  }

  function mine(method, [, what, id], body, session) {
    const user = state.users.find((each) => each.id === session?.userId);
    if (what === "password") {
      if (user.password !== body.old) throw new Refusal(403, "The old password is wrong.", { field: "old" });
      user.password = body.new;
      return {};
    }
    if (what === "sessions") return admin(method, ["sessions", id], body, {});
    if (method === "POST") {
      const token = { id: ++state.nextId, name: body.name, rights: body.rights, created: time(1), expires: body.expires, used: null };
      state.tokens.push(token);
      return { ...token, secret: "nora_secretsecretsecret" };
    }
    if (method === "DELETE") state.tokens = state.tokens.filter((token) => token.id !== Number(id));
    return { items: state.tokens, next: null };
  }

  function archive(request, response, [level, id, more], query, body, session) {
    if (id === undefined) return list(level, query);
    if (id === "rows") return { items: body.ids.map((each) => items.row(level, each)) };
    if (id === "ids") {
      const etag = `"${createHash("md5").update(JSON.stringify([level, query, items.revision])).digest("hex")}"`;
      response.setHeader("ETag", etag);
      if (request.headers["if-none-match"] === etag) return void (response.statusCode = 304);
      const ids = items.ids(level, query);
      response.setHeader("nora-count", ids.length);
      response.setHeader("Content-Encoding", "gzip");
      return gzipSync(packIds(ids), { level: 1 });
    }
    const row = items.row(level, Number(id));
    if (!row) throw new Refusal(404, "there is no such item");
    if (more === "meta") {
      const now = items.metaOf(level, row.id);
      if (request.method === "PUT") return setMeta(level, row.id, JSON.stringify(body), request.headers["if-match"], session?.userName ?? "local");
      response.setHeader("ETag", `"${now.revision}"`);
      return now.meta;
    }
    if (more === "history") return { items: items.metaOf(level, row.id).history, next: null };
    if (more === "info") return { kind: "document", format: row.format, mediaType: "text/plain" };
    if (more === "document" || more === "content") return Buffer.from(`content of ${row.name}`);
    return row;
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    const name = url.pathname === "/" ? "/index.html" : url.pathname;
    if (!name.startsWith("/api/v1/")) {
      if (!existsSync(join(dist, name))) return response.writeHead(404).end();
      return response.writeHead(200, { "Content-Type": types[extname(name)] ?? "application/octet-stream" }).end(readFileSync(join(dist, name)));
    }
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      hits.push(`${request.method} ${url.pathname.slice(8)}${decodeURIComponent(url.search)}`);
      const text = Buffer.concat(chunks).toString();
      if (fake.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, fake.delayMs));
      try {
        const csv = /^\/api\/v1\/(\w+)\.csv$/.exec(url.pathname);
        const query = Object.fromEntries(url.searchParams);
        if (csv) return response.writeHead(200, { "Content-Type": "text/csv" }).end(`name\r\n${items.ids(csv[1] === "audit" ? "files" : csv[1], query).slice(0, 10).map((id) => items.path(id)).join("\r\n")}\r\n`);
        if (url.pathname === "/api/v1/zip") return response.writeHead(200, { "Content-Type": "application/zip" }).end("PK");
        const said = answer(request, response, url.pathname.slice(8).split("/").map(decodeURIComponent), query, text === "" ? null : JSON.parse(text));
        if (Buffer.isBuffer(said)) return response.setHeader("Content-Type", "application/octet-stream").end(said);
        if (said === undefined) return response.end();
        response.setHeader("Content-Type", "application/json").end(JSON.stringify(said));
      } catch (error) {
        const { status = 500, more = {} } = error;
        if (more.retryAfter) response.setHeader("Retry-After", more.retryAfter);
        response.writeHead(status, { "Content-Type": "application/problem+json" }).end(JSON.stringify({ title: "refused", status, detail: error.message, ...more }));
      }
    });
  });

  server.on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: nora.v2\r\n\r\n`);
    const close = (code) => socket.end(Buffer.from([0x88, 2, code >> 8, code & 255]));
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    if (accounts && !sessionOf(request)) return void socket.once("data", () => close(4003));
    sockets.add(socket);
    socket.closeWith = close;
    socket.once("data", () => {
      send(socket, JSON.stringify({ type: "hello", protocol: 2, version: "fake", session: "s", resumed: false, applied: 0, revision: 0, scene: {}, codecs: ["jpeg"] }));
      send(socket, news());
    });
  });

  const fake = {
    items, state, hits, changed, tell,
    delayMs: 0,
    rights, // of everybody, in the project
    /** Every log-in ends, and the streams with it. */
    endSessions: () => {
      state.sessions.clear();
      sockets.forEach((socket) => socket.closeWith(4003));
    },
    stop: async () => {
      sockets.forEach((socket) => socket.destroy());
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  fake.url = `http://127.0.0.1:${server.address().port}/`;
  return fake;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , files = "1000", mode = "local", port = "0"] = process.argv;
  console.log((await fakeApi({ files: Number(files), accounts: mode === "accounts", port: Number(port) })).url);
}
