// A server that closes connections at bad moments, and notes which requests took effect: those that came in full.
const http = require('http');

const effects = new Map();
const sizes = [0, 5, 700, 20000];
const content = id => Buffer.from(`${id} `.repeat(Math.floor(sizes[id % 4] / 4) + 1));
const hasContent = request => request.method !== 'GET';

const server = http.createServer((request, response) => {
    if (request.url === '/effects') {
        return response.end([...effects].map(([id, count]) => `${id} ${count}\n`).join(''));
    }
    const id = Number(request.url.slice('/app/'.length));
    // Those of a request that waits behind another one would come behind its head: Node has them in that order.
    if (id % 5 === 0 && response.socket) {
        response.writeProcessing();
        response.writeEarlyHints({ link: '</style>; rel=preload' });
    }
    // Whoever says so itself leaves the time for which it keeps the connection unsaid, and would not say its end.
    const socket = request.socket;
    socket.served = (socket.served ?? 0) + 1;
    if (id % 2 === 0 && socket.served < server.maxRequestsPerSocket) response.setHeader('Connection', 'keep-alive');
    response.setHeader('Echo', request.url);
    const answer = content(id);
    if (id % 3 > 0) response.setHeader('Content-Length', answer.length);
    const early = id % 11 === 0;
    if (early) response.write(answer.subarray(0, 1));
    const pieces = [];
    request.on('error', () => {});
    request.on('data', piece => pieces.push(piece));
    request.on('end', () => {
        if (hasContent(request) && !Buffer.concat(pieces).equals(answer)) {
            console.error(`request ${id} came as another one`);
            process.exit(1);
        }
        effects.set(id, (effects.get(id) ?? 0) + 1);
        const end = () => response.end(early ? answer.subarray(1) : answer);
        if (id % 7 === 0) setTimeout(end, id % 13); else end();
    });
});
server.keepAliveTimeout = 20;
server.maxRequestsPerSocket = 9;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
