// Node's own clients: `node client.mjs PORT` prints ok.
import assert from "node:assert";
import http from "node:http";

const port = Number(process.argv[2]);
const data = Buffer.alloc(500_000, "node");

function ask(agent, method, path, ...pieces) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, port, host: "127.0.0.1", method, path }, (response) => {
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

const one = new http.Agent({ keepAlive: true, maxSockets: 1 });
assert.equal((await ask(one, "GET", "/plain")).content.toString(), "Hello, World!");
assert.equal((await ask(one, "HEAD", "/bytes/77")).fields["content-length"], "77");
assert.equal((await ask(one, "GET", "/chunked/123456")).content.length, 123456);
assert.deepEqual((await ask(one, "POST", "/echo", data.subarray(0, 100), data.subarray(100))).content, data);
one.destroy();

const answers = await Promise.all(
  Array.from({ length: 20 }, (_, n) => fetch(`http://127.0.0.1:${port}/number/${n}`).then((response) => response.text())),
);
answers.forEach((answer, n) => assert.equal(answer, `GET /number/${n}\n`));
const echoed = await fetch(`http://127.0.0.1:${port}/echo`, { method: "POST", body: data });
assert.deepEqual(Buffer.from(await echoed.arrayBuffer()), data);
console.log("ok");
process.exit(0);
