"""A cross-language gRPC interoperability test harness.

A case is data; a pure model derives the allowed observations of both sides; drivers only play and report; suites only produce cases;
reports only render verdicts. ARCHITECTURE.md shows where each of these lives.
"""
