// undici with five requests in flight on one connection: `node undici.mjs URL [CA]` prints ok.
import assert from "node:assert";
import fs from "node:fs";
import { Client } from "undici";

const connect = process.argv[3] ? { ca: fs.readFileSync(process.argv[3]) } : {};
const client = new Client(process.argv[2], { pipelining: 5, connect });
const ask = async (method, path, content) => {
  const { statusCode, body } = await client.request({ method, path, body: content, blocking: false });
  return [statusCode, Buffer.from(await body.arrayBuffer())];
};
await Promise.all(
  Array.from({ length: 100 }, async (_, n) => {
    // Every tenth is an error, and keeps the connection.
    const [path, status] = n % 10 === 9 ? ["/status/404", 404] : [`/number/${n}`, 200];
    const [seen, content] = await ask("GET", path);
    assert.equal(seen, status);
    assert.equal(content.toString(), status === 404 ? "status 404\n" : `GET ${path}\n`);
  }),
);
const data = Buffer.alloc(2_000_000, "undici");
assert.equal((await ask("GET", "/chunked/2000000"))[1].length, 2000000);
assert.deepEqual((await ask("POST", "/echo", data))[1], data);
for (const path of ["/cut/1000", "/cut-chunked/1000"]) await assert.rejects(ask("GET", path), path);
assert.equal((await ask("GET", "/plain"))[1].toString(), "Hello, World!");
await client.close();
console.log("ok");
