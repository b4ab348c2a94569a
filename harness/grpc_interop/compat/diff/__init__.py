"""The differences between two versions of the protos, before anything is played.

A new kind of edit begins here, in the file of the element that it changes:

- a field: `match_fields.py` says that it differs (`_definition`), `field_wording.py` says how in words;
- an enum value: `match_fields.py` pairs it (`pair_values`), `changes.py` puts it in words;
- any other declaration: `changes.py` yields a `Change`, in the words of `declaration_wording.py`;
- a type that takes another one's place: `match_types.py`, and `anys.py` for the content of an Any.

Then `probes/` aims values at it, `judge/observe.py` tells its effects, and `judge/guarantee.py` says whether they break a
promise. A line of `tests/compat/table/` expects the result in each direction and language.
"""
