"""The implementations' hand-written programs, as docs/manifest.md describes them: a server program, and a client program for each
RPC, which are judged by their output. Where an answer may come too early, a relay between them shows when the client has sent
its input."""
