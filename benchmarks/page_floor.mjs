// The floor of input to photon: a page, and a WebSocket that answers each message with one JPEG made before, which the
// page decodes and draws as nora's does. `node page_floor.mjs FILE.jpg ADDRESS PORT` serves it; the benchmarks of the page
// do so in their own process, or in another network namespace. GET /bytes sends 1 MB, to measure the network.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const page = `<body style="margin:0"><canvas width=1280 height=720></canvas><script>
  const context = document.querySelector("canvas").getContext("2d");
  const socket = new WebSocket("ws://" + location.host); socket.binaryType = "arraybuffer"; let tEvent = 0;
  window.photons = [];
  window.ready = () => socket.readyState === 1;
  for (const kind of ["wheel", "keydown"]) addEventListener(kind, (event) => { tEvent = event.timeStamp; socket.send("x"); });
  socket.onmessage = async (message) => {
    const bitmap = await createImageBitmap(new Blob([message.data], { type: "image/jpeg" }));
    context.drawImage(bitmap, 0, 0);
    requestAnimationFrame(() => photons.push(performance.now() - tEvent));
  };</script>`;
const plenty = Buffer.alloc(1_000_000, 1);

/** A picture as a WebSocket message. */
function messageOf(jpeg) {
  const short = jpeg.length < 65536; // the shorter form of the length is required where it fits
  const head = Buffer.alloc(short ? 4 : 10);
  head[0] = 0x82;
  head[1] = short ? 126 : 127;
  if (short) head.writeUInt16BE(jpeg.length, 2);
  else head.writeBigUInt64BE(BigInt(jpeg.length), 2);
  return Buffer.concat([head, jpeg]);
}

/** Serves the floor: {server, url}. `picture`: a JPEG, or a function that returns the promise of one for each message. */
export function startFloor(picture, address = "127.0.0.1", port = 0) {
  const server = createServer((request, response) => {
    if (request.url === "/bytes") return response.end(plenty);
    return response.setHeader("Content-Type", "text/html").end(page);
  });
  const ready = typeof picture === "function" ? null : messageOf(picture);
  server.on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.setNoDelay(true);
    const isText = (data) => (data[0] & 15) === 1; // not a close
    socket.on("data", async (data) => isText(data) && socket.write(ready ?? messageOf(await picture())));
    socket.on("error", () => {});
  });
  return new Promise((resolve) => server.listen(port, address, () => resolve({ server, url: `http://${address}:${server.address().port}` })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, address, port] = process.argv.slice(2);
  const { url } = await startFloor(readFileSync(file), address, Number(port));
  console.log(url);
}
