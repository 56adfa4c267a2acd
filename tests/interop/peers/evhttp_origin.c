/* libevent's server, evhttp, with the routes of `serve`: `evhttp_origin PORT`. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PIECE 16384

static char zeros[PIECE];

static struct evbuffer *some(size_t size)
{
    struct evbuffer *buffer = evbuffer_new();
    for (; size > 0; size -= size < PIECE ? size : PIECE)
        evbuffer_add(buffer, zeros, size < PIECE ? size : PIECE);
    return buffer;
}

static void cut(struct evhttp_connection *connection, void *argument)
{
    (void)argument;
    shutdown(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), SHUT_RDWR);
}

static void answer(struct evhttp_request *request, void *argument)
{
    const char *path = evhttp_request_get_uri(request);
    struct evbuffer *content = evhttp_request_get_input_buffer(request), *buffer;
    struct evkeyvalq *fields = evhttp_request_get_output_headers(request);
    size_t size = 0;
    char text[64];
    (void)argument;
    if (sscanf(path, "/status/%zu", &size) == 1) {
        buffer = evbuffer_new();
        if (size != 204)
            evbuffer_add_printf(buffer, "status %zu\n", size);
        evhttp_send_reply(request, (int)size, NULL, buffer);
    } else if (sscanf(path, "/bytes/%zu", &size) == 1) {
        snprintf(text, sizeof text, "%zu", size);
        evhttp_add_header(fields, "Content-Length", text);
        buffer = some(evhttp_request_get_command(request) == EVHTTP_REQ_HEAD ? 0 : size);
        evhttp_send_reply(request, 200, NULL, buffer);
    } else if (sscanf(path, "/chunked/%zu", &size) == 1) {
        evhttp_send_reply_start(request, 200, NULL);
        for (; size > 0; size -= size < PIECE ? size : PIECE) {
            buffer = some(size < PIECE ? size : PIECE);
            evhttp_send_reply_chunk(request, buffer);
            evbuffer_free(buffer);
        }
        evhttp_send_reply_end(request);
        return;
    } else if (sscanf(path, "/cut/%zu", &size) == 1 || sscanf(path, "/cut-chunked/%zu", &size) == 1) {
        if (strncmp(path, "/cut/", 5) == 0) {
            snprintf(text, sizeof text, "%zu", size * 2 + 1);
            evhttp_add_header(fields, "Content-Length", text);
        }
        evhttp_send_reply_start(request, 200, NULL);
        buffer = some(size);
        evhttp_send_reply_chunk_with_cb(request, buffer, cut, NULL);
    } else {
        buffer = evbuffer_new();
        if (strcmp(path, "/plain") == 0)
            evbuffer_add_printf(buffer, "Hello, World!");
        else if (strcmp(path, "/sink") == 0)
            evbuffer_add_printf(buffer, "%zu", evbuffer_get_length(content));
        else
            evbuffer_add_buffer(buffer, content);
        evhttp_send_reply(request, 200, NULL, buffer);
    }
    evbuffer_free(buffer);
}

int main(int count, char **words)
{
    struct event_base *base = event_base_new();
    struct evhttp *server = evhttp_new(base);
    if (count != 2)
        return 2;
    memset(zeros, '0', sizeof zeros);
    evhttp_set_gencb(server, answer, NULL);
    if (evhttp_bind_socket(server, "127.0.0.1", (unsigned short)atoi(words[1])) != 0)
        return 1;
    return event_base_dispatch(base);
}
