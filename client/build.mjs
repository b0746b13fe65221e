// Bundles the page into dist/: index.html, app.js, app.css, and in pieces what is not needed at once. With --tests: the unit tests, into node_modules/.cache/.
import { build } from "esbuild";
import { cp, mkdir, readdir, rm, stat } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { basename, dirname, join } from "node:path";

const here = dirname(fileURLToPath(import.meta.url));
const gzipLimitBytes = 60 * 1024; // of what is fetched at once

async function buildPage() {
  const out = join(here, "dist");
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { metafile } = await build({
    entryPoints: { app: join(here, "src/main.ts") },
    outdir: out,
    chunkNames: "[name]-[hash]",
    metafile: true,
    splitting: true,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "eof",
    logLevel: "warning",
  });
  await build({
    entryPoints: { app: join(here, "src/styles/app.css"), later: join(here, "src/styles/later.css") },
    outdir: out,
    bundle: true,
    minify: true,
    logLevel: "warning",
  });
  await cp(join(here, "src/index.html"), join(out, "index.html"));
  const zipped = async (names) => {
    let total = 0;
    for (const name of names) total += gzipSync(await readFile(join(out, name)), { level: 9 }).length;
    return total;
  };
  const atOnce = await zipped(["index.html", "app.css", ...piecesOf(metafile)]);
  const all = await zipped(await readdir(out));
  console.log(`client/dist: ${(atOnce / 1024).toFixed(1)} KB gzipped, and ${((all - atOnce) / 1024).toFixed(1)} KB when they are needed`);
  if (atOnce > gzipLimitBytes) {
    throw new Error(`the page is larger than ${gzipLimitBytes / 1024} KB gzipped`);
  }
}

/** app.js and what it imports, but for what it imports later. */
function piecesOf({ outputs }) {
  const found = new Set();
  const add = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind } of outputs[path].imports) if (kind === "import-statement") add(next);
  };
  add(Object.keys(outputs).find((path) => path.endsWith("/app.js")));
  return [...found].map((path) => basename(path));
}

async function buildTests() {
  const out = join(here, "node_modules/.cache/nora-tests");
  await rm(out, { recursive: true, force: true });
  const tests = (await readdir(join(here, "tests"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => join(here, "tests", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    logLevel: "warning",
  });
}

await stat(join(here, "node_modules/esbuild"));
await (process.argv.includes("--tests") ? buildTests() : buildPage());
