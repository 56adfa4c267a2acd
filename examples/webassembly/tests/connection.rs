//! What JavaScript does with a connection, done by hand.

use webassembly::Connection;

#[test]
fn bytes_come_and_answers_go() {
    let mut connection = Connection::new(5.0);
    connection.receive(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
    let mut sent = Vec::new();
    while let Some(bytes) = connection.next(6.0) {
        connection.sent(bytes.len(), 6.0);
        sent.extend_from_slice(&bytes);
    }
    assert_eq!(sent, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nab");
    assert!(connection.room() > 0 && !connection.shutdown() && !connection.close());
    // Whoever does not send the rest in time loses the connection, after a moment in which it may hear of that.
    let mut deadlines = 0;
    while let Some(due) = connection.due() {
        assert!(due > 6.0 && deadlines < 4, "{due}");
        connection.tick(due);
        assert!(connection.next(due).is_none());
        deadlines += 1;
    }
    assert!(connection.close());
}
