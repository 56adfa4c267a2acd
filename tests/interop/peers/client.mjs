// Node's own clients, `http` and `fetch`: `node client.mjs URL [CA]` prints ok. `fetch` has its roots from NODE_EXTRA_CA_CERTS.
import assert from "node:assert";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

const base = new URL(process.argv[2]);
const module = base.protocol === "https:" ? https : http;
const ca = process.argv[3] && fs.readFileSync(process.argv[3]);
const data = Buffer.alloc(500_000, "node");

function ask(agent, method, path, ...pieces) {
  return new Promise((resolve, reject) => {
    const request = module.request({ agent, ca, port: base.port, host: base.hostname, method, path }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, fields: response.headers, content: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    for (const piece of pieces) request.write(piece);
    request.end();
  });
}

const one = new module.Agent({ keepAlive: true, maxSockets: 1 });
assert.equal((await ask(one, "GET", "/plain")).content.toString(), "Hello, World!");
assert.equal((await ask(one, "HEAD", "/bytes/77")).fields["content-length"], "77");
assert.equal((await ask(one, "GET", "/chunked/123456")).content.length, 123456);
assert.equal((await ask(one, "GET", "/bytes/5000000")).content.length, 5000000);
assert.deepEqual((await ask(one, "POST", "/echo", data.subarray(0, 100), data.subarray(100))).content, data);
for (const status of [204, 400, 404, 503]) assert.equal((await ask(one, "GET", `/status/${status}`)).status, status);
assert.equal((await ask(one, "GET", "/" + "a".repeat(9000))).status, 414);
for (const path of ["/cut/1000", "/cut-chunked/1000"]) {
  await assert.rejects(ask(one, "GET", path), path);
  await assert.rejects(fetch(new URL(path, base)).then((response) => response.arrayBuffer()), path);
}
assert.equal((await ask(one, "GET", "/plain")).content.toString(), "Hello, World!");
one.destroy();

const answers = await Promise.all(
  Array.from({ length: 20 }, (_, n) => fetch(new URL(`/number/${n}`, base)).then((response) => response.text())),
);
answers.forEach((answer, n) => assert.equal(answer, `GET /number/${n}\n`));
const echoed = await fetch(new URL("/echo", base), { method: "POST", body: data });
assert.deepEqual(Buffer.from(await echoed.arrayBuffer()), data);
assert.equal((await fetch(new URL("/status/404", base))).status, 404);
console.log("ok");
process.exit(0);
