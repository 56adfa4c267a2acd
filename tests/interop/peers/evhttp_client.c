/* libevent's client, evhttp: `evhttp_client PORT` prints ok, or fails with what was otherwise. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct event_base *base;
static struct evhttp_connection *connection;

struct answer {
    int status; /* 0: none that is whole */
    size_t length;
    char *content;
    char announced[32];
};

static void ended(struct evhttp_request *request, void *argument)
{
    struct answer *answer = argument;
    answer->status = request ? evhttp_request_get_response_code(request) : 0;
    if (answer->status) {
        struct evbuffer *input = evhttp_request_get_input_buffer(request);
        const char *length = evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Length");
        answer->length = evbuffer_get_length(input);
        answer->content = malloc(answer->length + 1);
        evbuffer_copyout(input, answer->content, answer->length);
        answer->content[answer->length] = 0;
        snprintf(answer->announced, sizeof answer->announced, "%s", length ? length : "");
    }
    event_base_loopexit(base, NULL);
}

/* Called for what broke a request, before `ended`, if that is called at all. */
static void broken(enum evhttp_request_error error, void *argument)
{
    (void)error;
    ended(NULL, argument);
}

static struct answer ask(enum evhttp_cmd_type method, const char *path, const char *content, size_t length)
{
    struct answer answer = {0, 0, NULL, ""};
    struct evhttp_request *request = evhttp_request_new(ended, &answer);
    evhttp_request_set_error_cb(request, broken);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", "127.0.0.1");
    if (content)
        evbuffer_add(evhttp_request_get_output_buffer(request), content, length);
    evhttp_make_request(connection, request, method, path);
    event_base_dispatch(base);
    return answer;
}

static void expect(int holds, const char *what, const struct answer *seen)
{
    if (holds)
        return;
    fprintf(stderr, "%s: status %d, %zu bytes, %.60s\n", what, seen->status, seen->length, seen->content ? seen->content : "");
    exit(1);
}

static void expect_text(const char *path, int status, const char *text)
{
    struct answer seen = ask(EVHTTP_REQ_GET, path, NULL, 0);
    expect(seen.status == status && seen.content && !strcmp(seen.content, text), path, &seen);
    free(seen.content);
}

static void expect_size(const char *path, size_t size)
{
    struct answer seen = ask(EVHTTP_REQ_GET, path, NULL, 0);
    expect(seen.status == 200 && seen.length == size && strspn(seen.content, "0") == size, path, &seen);
    free(seen.content);
}

int main(int count, char **words)
{
    size_t size = 5000000, at;
    char *data = malloc(size), *target = malloc(9002);
    struct answer seen;
    if (count != 2)
        return 2;
    for (at = 0; at < size; at++)
        data[at] = (char)(at * 31 >> 3);
    memset(target, 'a', 9001);
    target[0] = '/';
    target[9001] = 0;
    base = event_base_new();
    connection = evhttp_connection_base_new(base, NULL, "127.0.0.1", (unsigned short)atoi(words[1]));
    evhttp_connection_set_timeout(connection, 10);

    expect_text("/plain", 200, "Hello, World!");
    seen = ask(EVHTTP_REQ_HEAD, "/bytes/77", NULL, 0);
    expect(seen.status == 200 && !strcmp(seen.announced, "77") && !seen.length, "HEAD", &seen);
    expect_size("/bytes/0", 0);
    expect_size("/chunked/0", 0);
    expect_size("/chunked/123456", 123456);
    expect_size("/bytes/5000000", 5000000);
    expect_size("/chunked/5000000", 5000000);
    seen = ask(EVHTTP_REQ_POST, "/echo", data, size);
    expect(seen.status == 200 && seen.length == size && !memcmp(seen.content, data, size), "an echo", &seen);
    seen = ask(EVHTTP_REQ_PUT, "/sink", "abc", 3);
    expect(seen.status == 200 && !strcmp(seen.content, "PUT /sink\nabc"), "a PUT", &seen);
    seen = ask(EVHTTP_REQ_POST, "/sink", data, size);
    expect(seen.status == 200 && !strcmp(seen.content, "5000000"), "a large upload", &seen);
    expect_text("/status/404", 404, "status 404\n");
    expect_text("/status/503", 503, "status 503\n");
    expect_text("/status/204", 204, "");
    expect(ask(EVHTTP_REQ_GET, target, NULL, 0).status == 414, "a target that is too long", &seen);
    expect_text("/plain", 200, "Hello, World!");
    seen = ask(EVHTTP_REQ_GET, "/cut/1000", NULL, 0);
    expect(seen.status == 0, "content that was cut", &seen);
    expect_text("/plain", 200, "Hello, World!");
    seen = ask(EVHTTP_REQ_GET, "/cut-chunked/1000", NULL, 0);
    expect(seen.status == 0, "chunks that were cut", &seen);
    expect_text("/plain", 200, "Hello, World!");
    puts("ok");
    return 0;
}
