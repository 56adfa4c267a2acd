// Node as an origin, with the routes of `serve`, and what few others send: 103, trailers. `node origin.mjs PORT [--cert FILE --key FILE]`.
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

function answer(request, response) {
  const [, kind, number] = request.url.split("/");
  const size = Number(number);
  const piece = Buffer.alloc(Math.min(size || 0, 16384), "0");
  const chunks = [];
  if (kind === "status") {
    response.writeHead(size);
    return response.end(size === 204 ? "" : `status ${size}\n`);
  }
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const content = Buffer.concat(chunks);
    switch (kind) {
      case "hints":
        return response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" }, () => response.end("after the hints"));
      case "trailers":
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("before the ");
        response.addTrailers({ "X-Sum": "7" });
        return response.end("trailers");
      case "tell":
        return response.end(`${request.method} ${request.headers["x-name"]} ${content.length}`);
      case "plain":
        return response.end("Hello, World!");
      case "sink":
        return response.end(String(content.length));
      case "bytes":
        response.setHeader("Content-Length", size);
        return response.end(Buffer.alloc(size, "0"));
      case "chunked":
        for (let left = size; left > 0; left -= piece.length) response.write(piece.subarray(0, left));
        return response.end();
      case "cut":
        response.setHeader("Content-Length", size * 2 + 1);
      // fallthrough
      case "cut-chunked":
        return response.write(piece, () => response.socket.destroy());
      default:
        return response.end(content);
    }
  });
}

const [port, , cert, , key] = process.argv.slice(2);
const server = cert
  ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, answer)
  : http.createServer(answer);
server.listen(Number(port), "127.0.0.1");
