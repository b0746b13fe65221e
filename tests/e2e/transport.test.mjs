// The page over https, and under a path behind nginx and HAProxy (samples in docs/proxies).
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { after } from "node:test";
import { assertNoComplaints, openEntry, openPage, serve, start, still, viewport, showToEverybody } from "./support.mjs";

const samples = join(dirname(fileURLToPath(import.meta.url)), "../../docs/proxies");
const here = await start(after);
const folder = mkdtempSync(join(tmpdir(), "nora-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const [certificate, key, both] = ["c.pem", "k.pem", "both.pem"].map((name) => join(folder, name));
execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
  "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
  { stdio: "ignore" });
writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

function sample(name, changes) {
  let text = readFileSync(join(samples, name), "utf8");
  for (const [old, now] of Object.entries(changes)) {
    assert.ok(text.includes(old), `${name} has no ${old}`);
    text = text.replaceAll(old, now);
  }
  return text;
}

/** Opens an image, moves in it, and sees lossless pictures whose hash is right. */
async function usePage(url) {
  const page = await openPage({ browser: here.browser, server: { url } }, { ignoreHTTPSErrors: true });
  await openEntry(page, "smooth.nii");
  const before = await page.evaluate(() => window.nora.scene.crosshairMm);
  await viewport(page, "axial").click({ position: { x: 60, y: 60 } });
  await page.waitForFunction((old) => JSON.stringify(window.nora.scene.crosshairMm) !== JSON.stringify(old), before);
  await still(page);
  assert.ok(await page.evaluate(() => window.nora.trace.some((frame) => frame.verified === true)), "no picture was checked");
  assertNoComplaints(page);
  if (process.env.NORA_SHOTS) await page.screenshot({ path: join(process.env.NORA_SHOTS, `${new URL(url).port}.png`) });
  await page.close();
}

test("the page streams over https", async () => {
  const server = await serve(here.folder, 0, ["--tls-certificate", certificate, "--tls-key", key]);
  try {
    assert.match(server.url, /^https:/);
    await usePage(server.url);
  } finally {
    await server.stop();
  }
});

const proxies = {
  nginx(port, plain, tls) {
    const site = sample("nginx.conf", { "listen 80;": `listen 127.0.0.1:${plain};`, "listen 443 ssl;": `listen 127.0.0.1:${tls} ssl;`,
      "127.0.0.1:8080": `127.0.0.1:${port}`, "/etc/ssl/nora/certificate.pem": certificate, "/etc/ssl/nora/key.pem": key });
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`);
    const file = join(folder, "nginx.conf");
    writeFileSync(file, `daemon off; master_process off; pid ${folder}/pid; events {} http { access_log off; ${temporary.join(" ")}\n${site}}`);
    return ["-p", folder, "-e", "stderr", "-c", file];
  },
  haproxy(port, plain, tls) {
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, sample("haproxy.cfg", { "bind :80": `bind 127.0.0.1:${plain}`, "bind :443": `bind 127.0.0.1:${tls}`,
      "127.0.0.1:8080": `127.0.0.1:${port}`, "/etc/haproxy/nora.pem": both }));
    return ["-db", "-f", file];
  },
};

for (const [name, prepare] of Object.entries(proxies)) {
  const program = [`/usr/sbin/${name}`, `/usr/bin/${name}`].find(existsSync);
  test(`the page streams under /nora/ behind ${name}`, { skip: program ? false : `${name} is not installed` }, async () => {
    const server = await serve(here.folder, 0, ["--trusted-proxies", "127.0.0.1"]);
    await showToEverybody(server.url);
    const [plain, tls] = [await freePort(), await freePort()];
    const proxy = spawn(program, prepare(server.port, plain, tls), { stdio: "ignore", cwd: folder });
    try {
      for (const url of [`http://127.0.0.1:${plain}/nora`, `https://127.0.0.1:${tls}/nora/`]) {
        for (let tries = 0; tries < 100; ++tries) {
          const up = await fetch(`http://127.0.0.1:${plain}/nora/healthz`).then((answer) => answer.ok, () => false);
          if (up) break;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        await usePage(url);
      }
    } finally {
      proxy.kill("SIGTERM");
      await server.stop();
    }
  });
}
