/* libevent's client, which ours is compared with: evhttp-client --port N --mode seq|sink --n N [--size S].
 *
 * One connection and one request after the other, as the example `load` sends them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

static struct event_base *base;
static struct evhttp_connection *connection;
static long port, requests = 1000, size = 1024;
static int posts;
static char *content;

static void ask(void);

static void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static void answered(struct evhttp_request *request, void *unused) {
    (void)unused;
    if (!request || evhttp_request_get_response_code(request) != 200)
        fail("not answered");
    if (evbuffer_get_length(evhttp_request_get_input_buffer(request)) == 0)
        fail("answered without content");
    if (--requests > 0)
        ask();
    else
        event_base_loopbreak(base);
}

static void ask(void) {
    struct evhttp_request *request = evhttp_request_new(answered, NULL);
    char host[32];
    snprintf(host, sizeof host, "127.0.0.1:%ld", port);
    if (!request || evhttp_add_header(evhttp_request_get_output_headers(request), "Host", host))
        fail("no request can be made");
    if (posts && evbuffer_add(evhttp_request_get_output_buffer(request), content, size))
        fail("no content can be sent");
    if (evhttp_make_request(connection, request, posts ? EVHTTP_REQ_POST : EVHTTP_REQ_GET, posts ? "/sink" : "/plain"))
        fail("not sent");
}

int main(int argc, char **argv) {
    for (int at = 1; at + 1 < argc; at += 2) {
        const char *option = argv[at], *value = argv[at + 1];
        if (!strcmp(option, "--port"))
            port = atol(value);
        else if (!strcmp(option, "--n"))
            requests = atol(value);
        else if (!strcmp(option, "--size"))
            size = atol(value);
        else if (!strcmp(option, "--mode") && (!strcmp(value, "seq") || !strcmp(value, "sink")))
            posts = !strcmp(value, "sink");
        else
            fail("evhttp-client --port N --mode seq|sink --n N [--size S]");
    }
    content = malloc(size);
    base = event_base_new();
    if (!content || !base)
        fail("no memory");
    memset(content, '0', size);
    connection = evhttp_connection_base_new(base, NULL, "127.0.0.1", (unsigned short)port);
    if (!connection)
        fail("no connection");
    ask();
    event_base_dispatch(base);
    return 0;
}
