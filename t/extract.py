#!/usr/bin/env python3
"""extract: read an extract of ehr-audit as others would, and print each entry
as "KIND AUTHOR USER RECORD TRANSACTION", a value that there is not as "-".

    extract.py csv|ndjson|fhir FILE

Exit status 1, and why, when the file is not what ehr-extract(5) says."""
import csv
import datetime
import json
import re
import sys

COLUMNS = ("seq height recorded time kind author roles user record doctor "
           "label readers detail proposer transaction").split()
HEX = re.compile(r"[0-9a-f]{64}\Z")
URN = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-"
                 r"[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
SYSTEM = re.compile(r"urn:x-ehr:[0-9a-f]{64}:(user|node|record|transaction)\Z")


def need(ok, what):
    if not ok:
        sys.exit("not so: " + what)


def instant(text):
    need(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", text), text)
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


def entry(kind, author, user, record, transaction):
    print(kind, author, user or "-", record or "-", transaction)


def read_csv(data):
    need(data.endswith(b"\r\n"), "the last line ends")
    need(data.count(b"\n") == data.count(b"\r\n"), "lines end in CRLF")
    rows = list(csv.reader(data.decode("ascii").splitlines(), strict=True))
    need(rows[0] == COLUMNS, "the columns' names")
    last = -1
    for row in rows[1:]:
        need(len(row) == len(COLUMNS), "as many values as columns")
        for value in row:
            need(not re.match(r"[=+@\t\r-]", value), "a formula: " + value)
            need(value.isprintable(), repr(value))
        r = dict(zip(COLUMNS, row))
        need(int(r["seq"]) > last, "in order")
        last = int(r["seq"])
        instant(r["recorded"]), instant(r["time"])
        need(HEX.match(r["transaction"]), "an id")
        entry(r["kind"], r["author"], r["user"], r["record"],
              r["transaction"])


def read_ndjson(data):
    for line in data.decode("ascii").splitlines():
        r = json.loads(line)
        need(list(r) == COLUMNS, "the members")
        need(isinstance(r["seq"], int) and isinstance(r["height"], int), line)
        need(all(isinstance(x, str) for x in r["roles"] + r["readers"]), line)
        need(all(r[k] != "" for k in COLUMNS), "no empty value")
        instant(r["recorded"]), instant(r["time"])
        entry(r["kind"], r["author"], r["user"], r["record"],
              r["transaction"])


# --- FHIR R4: what its tables of elements require -----------------------------

def whole(value):
    """No element is empty or null."""
    if isinstance(value, (dict, list)):
        need(len(value) > 0, "an empty element")
        for v in value.values() if isinstance(value, dict) else value:
            whole(v)
    else:
        need(value is not None and value != "", "an empty value")


def only(what, o, required, optional=()):
    for k in required:
        need(k in o, "%s has no %s" % (what, k))
    for k in o:
        need(k in required or k in optional, "%s has %s" % (what, k))


def reference(r):
    only("Reference", r, ["identifier"], ["type"])
    only("Identifier", r["identifier"], ["system", "value"])
    need(SYSTEM.match(r["identifier"]["system"]), r["identifier"]["system"])
    return r["identifier"]["value"]


def coding(c):
    only("Coding", c, ["system", "code"], ["display"])
    return c["code"]


def period(p):
    only("Period", p, ["start", "end"])
    need(instant(p["start"]) <= instant(p["end"]), "a period ends after it")


def audit_event(r):
    only("AuditEvent", r, ["resourceType", "id", "type", "recorded", "agent",
         "source", "subtype", "action", "period", "outcome", "entity"])
    coding(r["type"])
    need(r["action"] in "CRUDE" and r["outcome"] == "0", "codes")
    period(r["period"])
    instant(r["recorded"])
    for a in r["agent"]:
        only("agent", a, ["requestor", "who"], ["type", "role"])
        need(isinstance(a["requestor"], bool), "requestor")
        reference(a["who"])
    need([a["requestor"] for a in r["agent"]].count(True) == 1, "a requestor")
    only("source", r["source"], ["observer"])
    reference(r["source"]["observer"])
    about = {}
    for e in r["entity"]:
        only("entity", e, ["what", "type"], ["role", "detail"])
        coding(e["type"])
        for d in e.get("detail", []):
            only("detail", d, ["type", "valueString"])
        kind = e["what"]["identifier"]["system"].split(":")[-1]
        about["user" if kind == "node" else kind] = reference(e["what"])
    need(about["transaction"] == r["id"], "the transaction")
    entry(coding(r["subtype"][0]), reference(r["agent"][0]["who"]),
          about.get("user"), about.get("record"), r["id"])
    return coding(r["subtype"][0])


def provenance(r, kind):
    only("Provenance", r, ["resourceType", "id", "target", "recorded",
         "agent", "occurredPeriod", "activity"], ["reason"])
    need(kind in ("authorize", "reject", "grant", "withdraw", "erase"), kind)
    need(("reason" in r) == (kind == "erase"), "a reason")
    for t in r["target"]:
        reference(t)
    instant(r["recorded"])
    period(r["occurredPeriod"])
    for a in r["agent"]:
        only("agent", a, ["who", "type"])
        reference(a["who"])


def read_fhir(data):
    b = json.loads(data.decode("ascii"))
    whole(b)
    only("Bundle", b, ["resourceType", "type", "timestamp"], ["entry"])
    need(b["resourceType"] == "Bundle" and b["type"] == "collection", "types")
    instant(b["timestamp"])
    urls, kind = set(), None
    for e in b.get("entry", []):
        only("entry", e, ["fullUrl", "resource"])
        need(URN.match(e["fullUrl"]), e["fullUrl"])
        urls.add(e["fullUrl"])
        r = e["resource"]
        need(HEX.match(r["id"]), "an id")
        if r["resourceType"] == "AuditEvent":
            kind, last = audit_event(r), r["id"]
        else:
            need(r["resourceType"] == "Provenance", r["resourceType"])
            need(r["id"] == last, "follows its event")
            provenance(r, kind)
    need(len(urls) == len(b.get("entry", [])), "each URL once")


with open(sys.argv[2], "rb") as f:
    {"csv": read_csv, "ndjson": read_ndjson,
     "fhir": read_fhir}[sys.argv[1]](f.read())
