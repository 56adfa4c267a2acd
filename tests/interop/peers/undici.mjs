// undici with five requests in flight on one connection: `node undici.mjs PORT` prints ok.
import assert from "node:assert";
import { Client } from "undici";

const client = new Client(`http://127.0.0.1:${process.argv[2]}`, { pipelining: 5 });
await Promise.all(
  Array.from({ length: 100 }, async (_, n) => {
    const { statusCode, body } = await client.request({ method: "GET", path: `/number/${n}`, blocking: false });
    assert.equal(statusCode, 200);
    assert.equal(await body.text(), `GET /number/${n}\n`);
  }),
);
await client.close();
console.log("ok");
