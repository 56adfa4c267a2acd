// An origin with what few others send: 103, trailers. `node origin.mjs PORT`.
import http from "node:http";

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const content = Buffer.concat(chunks);
    if (request.url === "/hints") {
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" }, () => response.end("after the hints"));
    } else if (request.url === "/trailers") {
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("before the ");
      response.addTrailers({ "X-Sum": "7" });
      response.end("trailers");
    } else if (request.url === "/tell") {
      response.end(`${request.method} ${request.headers["x-name"]} ${content.length}`);
    } else {
      response.end(content);
    }
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
