// HTTP by WebAssembly, sockets by Node: `node server.cjs FOLDER [PORT]`, where FOLDER has what wasm-bindgen made.
const { createServer } = require("node:net");
const { join, resolve } = require("node:path");
const { Connection } = require(join(resolve(process.argv[2]), "webassembly.js"));

// Nothing more is made while the peer has so much to take.
const MOST = 32 * 1024;
const now = () => performance.now();

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const connection = new Connection(now());
  let timer, over = false, waiting = 0;

  const write = (bytes) => {
    waiting += bytes.length;
    socket.write(bytes, () => {
      waiting -= bytes.length;
      if (!over) connection.sent(bytes.length, now());
      turn();
    });
  };
  const turn = () => {
    if (over) return;
    for (;;) {
      for (let bytes; waiting < MOST && (bytes = connection.next(now())); ) write(bytes);
      const room = waiting < MOST ? Math.min(connection.room, socket.readableLength || Infinity) : 0;
      // A read when nothing is there asks for more, and is how the end is heard of.
      const bytes = room > 0 ? socket.read(socket.readableLength ? room : undefined) : null;
      if (!bytes) break;
      connection.receive(bytes);
    }
    clearTimeout(timer);
    if (connection.close) {
      over = true;
      connection.free();
      return void socket.destroySoon();
    }
    if (connection.shutdown) socket.end();
    const due = connection.due;
    if (due !== undefined) timer = setTimeout(tick, Math.max(1, due - now()));
  };
  const tick = () => {
    if (!over) connection.tick(now());
    turn();
  };
  const ended = (inOrder) => () => {
    if (!over) connection.end(inOrder, now());
    turn();
  };
  socket.on("readable", turn).on("end", ended(true)).on("error", ended(false)).on("close", ended(false));
  turn();
});
server.listen(Number(process.argv[3] ?? 0), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
