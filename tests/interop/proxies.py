"""nginx and HAProxy, started with a configuration of ours."""

import contextlib
import time

from harness import free_port, need_command, scratch, start, stop, wait_for

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_max_body_size 0; keepalive_timeout 30; types {{ text/plain txt; }}
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    {rest}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    http-reuse always
frontend in
    bind 127.0.0.1:{port} {bind}
    default_backend ours
backend ours
    server one 127.0.0.1:{upstream} {options}
"""


@contextlib.contextmanager
def nginx(rest):
    """nginx with what its `http` block is to have; `rest` is given the port to listen on."""
    port, folder = free_port(), scratch / f"nginx-{time.monotonic_ns()}"
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, rest=rest(port)))
    child = start(need_command("nginx", "nginx-light"), "-e", folder / "error.log", "-c", config)
    try:
        wait_for(port, child)
        yield port
    finally:
        stop(child)


def nginx_in_front(upstream, scheme="http", listen="", settings=""):
    """nginx that passes everything on to `upstream`, on connections that it keeps."""
    return nginx(lambda port: f"""
        upstream ours {{ server 127.0.0.1:{upstream}; keepalive 4; }}
        server {{
            listen 127.0.0.1:{port} {listen};
            large_client_header_buffers 4 32k;
            {settings}
            location / {{
                proxy_pass {scheme}://ours;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_request_buffering off;
                proxy_buffering off;
            }}
        }}""")


@contextlib.contextmanager
def haproxy(upstream, options="", bind=""):
    """HAProxy that passes everything on to `upstream`."""
    port = free_port()
    config = scratch / f"haproxy-{port}.cfg"
    config.write_text(HAPROXY.format(port=port, upstream=upstream, options=options, bind=bind))
    child = start(need_command("haproxy", "haproxy"), "-db", "-f", config)
    try:
        wait_for(port, child)
        yield port
    finally:
        stop(child)
