#!/usr/bin/env python3
"""read_strict.py FILE: reads a mail file as Python's email package does when any
defect is an error, and prints every header and part as JSON."""
import email
import email.policy
import json
import sys
from email.headerregistry import HeaderRegistry, UnstructuredHeader

# The manual's To and From hold URIs or any text, not mail addresses.
registry = HeaderRegistry()
registry.map_to_type("to", UnstructuredHeader)
registry.map_to_type("from", UnstructuredHeader)
policy = email.policy.SMTPUTF8.clone(raise_on_defect=True, header_factory=registry)
with open(sys.argv[1], "rb") as f:
    octets = f.read()
# Headers are UTF-8 (RFC 6532): the text parser takes them as they are.
message = email.message_from_string(octets.decode("utf-8"), policy=policy)
parts = []
for part in message.walk():
    assert not part.defects, part.defects
    for value in part.values():
        assert not getattr(value, "defects", ()), value.defects
    if not part.is_multipart():
        content = part.get_content()
        parts.append({
            "type": part.get_content_type(),
            "name": part.get_filename(),
            "content": content if isinstance(content, str) else content.hex(),
        })
print(json.dumps({"headers": dict(message.items()), "parts": parts}, ensure_ascii=False))
