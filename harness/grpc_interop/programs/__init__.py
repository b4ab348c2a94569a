"""Cases played by the implementations' hand-written programs, each a process of its own, as docs/manifest.md describes
them: a server program, a client program for each RPC, and nothing but what they print to judge by. Where an answer may
come too early, a relay between the two tells when the client has sent what was typed."""
