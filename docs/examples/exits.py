#!/usr/bin/python3
"""Exits by session, vCPU and reason, from the topic that Trapline keeps for dashboards.

Debian: apt install python3-kafka python3-lz4 python3-avro. Usage: exits.py HOST:PORT [SECONDS OF SILENCE TO END AFTER]
"""
import io
import json
import sys
from collections import Counter

import avro.io
import avro.schema
from kafka import KafkaConsumer

MARKER = b"\xc3\x01"  # Avro's single-object encoding: the marker, 8 bytes of fingerprint, the body


def consumer(topic, address, silence):
    return KafkaConsumer(
        topic,
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=1000 * silence,
    )


def published_schemas(address):
    """Every schema of the log, by the fingerprint as records have it."""
    return {
        int(record.key, 16).to_bytes(8, "little"): avro.schema.parse(record.value.decode())
        for record in consumer("trapline.schemas", address, 1)
    }


def main(address, silence):
    schemas = published_schemas(address)
    exits = Counter()
    for record in consumer("trapline.exits", address, silence):
        if record.value[:2] != MARKER:
            sys.exit(f"{record.topic}-{record.partition}@{record.offset}: not single-object encoding")
        schema = schemas[record.value[2:10]]
        body = avro.io.BinaryDecoder(io.BytesIO(record.value[10:]))
        found = avro.io.DatumReader(schema).read(body)
        exits[found["session"], found["vcpu"], found["reasonName"]] += 1
    for (session, vcpu, reason), count in sorted(exits.items()):
        print(json.dumps({"session": session, "vcpu": vcpu, "reason": reason, "count": count}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
