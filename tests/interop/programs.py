"""The programs of ours: example servers and example clients. A scene is given one of them, whichever it is."""

from harness import EXAMPLES, check, free_port, run, start, stop, wait_for


class Server:
    """An example server that runs, by its name and options."""

    def __init__(self, *words):
        self.words, self.port = words, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.child = start(EXAMPLES / words[0], "--port", self.port, *words[1:])
        wait_for(self.port, self.child)

    def beside(self, *options):
        """Another one of the same kind, with more options."""
        return Server(*self.words, *options)

    def secured(self, certificates):
        """Another one of the same kind that speaks TLS."""
        return self.beside("--cert", certificates.cert, "--key", certificates.key)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.child)


class Client:
    """An example client: called with its options, it returns how it ended."""

    def __init__(self, name, *options, variables=()):
        self.name, self.options, self.variables = name, options, variables

    def __call__(self, *arguments, status=0):
        environment = ["env", *self.variables] if self.variables else []
        return run(*environment, EXAMPLES / self.name, *self.options, *arguments, status=status)

    def trusting(self, certificates):
        """The same, for origins that have these certificates."""
        return Client(self.name, *self.options, "--cacert", certificates.ca, variables=self.variables)

    def behind(self, proxy):
        """The same, with a proxy for everything."""
        return Client(self.name, *self.options, variables=[f"all_proxy={proxy}"])

    def refused(self, *arguments, status=None):
        """It must fail, with a message, by the status if one is named."""
        done = self(*arguments, status=status)
        check(done.returncode not in (0, 101) and done.stderr.strip(), "a failure with a message", done.returncode, done.stderr)
        return done
