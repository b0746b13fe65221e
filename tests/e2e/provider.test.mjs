// Log-in by the button of an OpenID Connect provider, on the server itself: Chromium goes there and comes back.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { openOn, picture, startBrowser } from "./page_support.mjs";
import { environmentOf, makeData, serve } from "./support.mjs";

const script = join(dirname(fileURLToPath(import.meta.url)), "../archive/access/peers/oidc_provider.py");

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

async function listens(port, patience = 200) {
  for (let n = 0; n < patience; ++n) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens at ${port}`);
}

const [port, providerPort] = [await freePort(), await freePort()];
const pageUrl = `http://127.0.0.1:${port}/`;
const provider = spawn("/usr/bin/python3", [script, String(providerPort), `${pageUrl}api/v1/login/oidc/callback`], { stdio: "ignore" });
await listens(providerPort);
const control = (query) => fetch(`http://127.0.0.1:${providerPort}/control?${query}`);

process.env.NORA_TEST_CLIENT_SECRET = "s3cret/+ ü";
const folder = makeData();
const config = join(dirname(environmentOf(folder).NORA_INDEX), "nora.toml");
writeFileSync(config, `
public_url = "${pageUrl}"
[oidc]
name = "id"
title = "Lab ID"
issuer = "http://127.0.0.1:${providerPort}/realm"
client_id = "nora-lab"
client_secret_env = "NORA_TEST_CLIENT_SECRET"
administrators_group = "editors"
`);
const server = await serve(folder, port, ["--config", config]);
const browser = await startBrowser(after);
after(async () => {
  await server.stop();
  provider.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("the button leads to the provider and back into the page, where pictures are", async () => {
  const page = await openOn(browser, `${pageUrl}?from=here#there`);
  const button = page.getByRole("link", { name: "Log in with Lab ID" });
  await button.waitFor();
  await picture(page, "provider-login");
  assert.equal(await page.locator("nora-archive").count(), 0);
  await button.click();
  await page.getByRole("button", { name: /^Alice Example/ }).waitFor();
  await page.locator(".row.entry", { hasText: "sub-01_T1w" }).first().waitFor();
  const url = new URL(page.url());
  assert.equal(url.origin + url.pathname, pageUrl);
  assert.equal(url.searchParams.get("code"), null);
  assert.equal(url.searchParams.get("from"), "here");
  const cookies = await page.context().cookies();
  const session = cookies.find((cookie) => cookie.name === "nora");
  assert.deepEqual([session.httpOnly, session.sameSite], [true, "Lax"]);
  await page.getByRole("button", { name: /^Alice Example/ }).click();
  assert.equal(await page.getByRole("menuitem", { name: "Change password" }).count(), 0, "it is kept elsewhere");
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await button.waitFor();
  assert.equal(await page.locator("nora-archive").count(), 0);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a refusal at the provider is told on the log-in page, and the next attempt works", async () => {
  await control("refuse=1");
  const page = await openOn(browser, pageUrl);
  await page.getByRole("link", { name: "Log in with Lab ID" }).click();
  await page.getByRole("alert").filter({ hasText: "refused or cancelled" }).waitFor();
  await picture(page, "provider-refused");
  assert.equal(new URL(page.url()).search, "");
  await control("reset=1");
  await page.getByRole("link", { name: "Log in with Lab ID" }).click();
  await page.getByRole("button", { name: /^Alice Example/ }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
