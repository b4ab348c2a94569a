"""Failures that travel: a case, or an exchange between two versions, as text that `interop replay` plays again (packing,
case_text, exchange_text; replay, exchange_replay), and a case as two programs that stand alone (export_request, export)."""
