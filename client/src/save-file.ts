// Lets the browser save what the server sends, without holding it in memory.
import { apiUrl, csrfValue } from "./api.ts";

/** Lets the browser save a file under a name. */
export function save(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** Asks by POST, and lets the browser save the answer while it comes. `refused` is told what the server had against it. */
export function saveAnswer(path: string, body: unknown, refused: (trouble: string) => void): void {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.name = `save-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: apiUrl(path), target: frame.name, hidden: true });
  for (const [name, value] of Object.entries({ json: JSON.stringify(body), csrf: csrfValue() })) {
    const field = document.createElement("textarea");
    Object.assign(field, { name, value });
    form.append(field);
  }
  document.body.append(frame, form);
  frame.addEventListener("load", () => {
    const text = frame.contentDocument?.body?.innerText ?? "";
    if (text === "") return; // the empty frame itself; what is saved is not loaded into it
    frame.remove();
    refused(text);
  });
  form.submit();
  form.remove();
}
