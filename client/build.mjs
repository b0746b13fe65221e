// Bundles the page into dist/: index.html, app.js, app.css. With --tests: the unit tests, into node_modules/.cache/.
import { build } from "esbuild";
import { cp, mkdir, readdir, rm, stat } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";

const here = dirname(fileURLToPath(import.meta.url));
const gzipLimitBytes = 60 * 1024;

async function buildPage() {
  const out = join(here, "dist");
  await mkdir(out, { recursive: true });
  await build({
    entryPoints: { app: join(here, "src/main.ts") },
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "eof",
    logLevel: "warning",
  });
  await build({
    entryPoints: { app: join(here, "src/styles/app.css") },
    outdir: out,
    bundle: true,
    minify: true,
    logLevel: "warning",
  });
  await cp(join(here, "src/index.html"), join(out, "index.html"));
  let total = 0;
  for (const name of ["index.html", "app.js", "app.css"]) {
    total += gzipSync(await readFile(join(out, name)), { level: 9 }).length;
  }
  console.log(`client/dist: ${(total / 1024).toFixed(1)} KB gzipped`);
  if (total > gzipLimitBytes) {
    throw new Error(`the page is larger than ${gzipLimitBytes / 1024} KB gzipped`);
  }
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
